import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem, NOBODY } from './helpers.js';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';

describe('One’s own sessions', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const signIn = async (person: Person, userAgent: string, ip = '10.3.0.1') => {
    const { body } = await api!.request(
      'POST',
      '/auth/login',
      { email: person.email, password: person.password },
      { headers: { 'user-agent': userAgent, 'x-forwarded-for': ip } },
    );
    return body as { accessToken: string; refreshToken: string };
  };
  const me = (token: string) => api!.request('GET', '/users/me', undefined, { token });
  const security = async (person: Person, count: number): Promise<Json[]> =>
    until(
      async () => (await person.get('/notifications?category=security')).body.data as Json[],
      (list) => list.length >= count,
    );

  it('are listed with their device and place, the newest first, and nothing that could be used', async () => {
    const person = await api!.register();
    await signIn(person, FIREFOX, '10.3.0.7');
    await signIn(person, SAFARI, '10.3.0.8');
    const { body } = await person.get('/auth/sessions');
    expect(body.data.map(({ device, place, current }: Json) => ({ device, place, current }))).to.deep.equal([
      { device: 'Safari, iOS', place: '10.3.0.8', current: false },
      { device: 'Firefox, Windows', place: '10.3.0.7', current: false },
      { device: 'node', place: body.data[2].place, current: true },
    ]);
    for (const session of body.data) {
      expect(session).to.have.all.keys('id', 'device', 'place', 'current', 'createdAt', 'lastUsedAt');
    }
  });

  it('can be ended one by one, with their sockets on every node', async () => {
    const laptop = await api!.register();
    const phone = await api!.signIn(laptop.email, laptop.password);
    const socket = await phone.on(otherNode!).connect('/feed');
    const { body } = await laptop.get('/auth/sessions');
    const { id } = body.data.find(({ current }: Json) => !current);
    const startedAt = Date.now();
    expect((await laptop.delete(`/auth/sessions/${id}`)).status).to.equal(204);
    await socket.closed();
    expect(Date.now() - startedAt).to.be.below(5_000);
    expectProblem(await phone.get('/users/me'), 401, 'SESSION_ENDED');
    expect((await laptop.get('/auth/sessions')).body.data).to.have.length(1);
    expectProblem(await laptop.delete(`/auth/sessions/${id}`), 404, 'SESSION_NOT_FOUND');
  });

  it('are nobody else’s to end', async () => {
    const [person, other] = [await api!.register(), await api!.register()];
    const { body } = await person.get('/auth/sessions');
    for (const id of [body.data[0].id, NOBODY]) {
      expectProblem(await other.delete(`/auth/sessions/${id}`), 404, 'SESSION_NOT_FOUND');
    }
    expect((await person.get('/users/me')).status).to.equal(200);
  });

  it('all end at once', async () => {
    const person = await api!.register();
    const phone = await api!.signIn(person.email, person.password);
    expect((await phone.post('/auth/logout-all')).status).to.equal(204);
    for (const each of [person, phone]) expectProblem(await each.get('/users/me'), 401, 'SESSION_ENDED');
  });

  it('are told of when they begin on a device not seen before, and only then', async () => {
    const person = await api!.register();
    await signIn(person, FIREFOX);
    await signIn(person, FIREFOX.replaceAll('140.0', '141.0'));
    await signIn(person, SAFARI, '10.3.0.9');
    const told = await security(person, 2);
    expect(told.map(({ data }) => data.security)).to.deep.equal([
      { occasion: 'newSignIn', device: 'Safari, iOS', place: '10.3.0.9' },
      { occasion: 'newSignIn', device: 'Firefox, Windows', place: '10.3.0.1' },
    ]);
    expect(told[0].body).to.include('Safari, iOS');
  });

  it('are told of when a refresh token comes back', async () => {
    const person = await api!.register();
    const stolen = await signIn(person, 'node');
    const next = await api!.request('POST', '/auth/refresh', { refreshToken: stolen.refreshToken });
    await api!.request('POST', '/auth/refresh', { refreshToken: next.body.refreshToken });
    const reused = await api!.request('POST', '/auth/refresh', { refreshToken: stolen.refreshToken });
    expectProblem(reused, 401, 'REFRESH_TOKEN_REUSED');
    const [told] = await security(person, 1);
    expect(told.data.security).to.deep.equal({ occasion: 'tokenReused' });
  });

  describe('in a browser', () => {
    const cookieOf = (headers: Headers): string => headers.get('set-cookie') ?? '';
    const login = (person: Person) =>
      api!.request('POST', '/auth/login', { email: person.email, password: person.password });
    const refresh = (headers: Record<string, string>) => api!.request('POST', '/auth/refresh', undefined, { headers });

    it('go on by a cookie that scripts cannot read and other paths do not get', async () => {
      const { headers, body } = await login(await api!.register());
      const cookie = cookieOf(headers);
      expect(cookie).to.match(
        /^atrium_refresh=[^;]+; Max-Age=2592000; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/,
      );
      expect(cookie).to.include(body.refreshToken);
      const answer = await refresh({ cookie: cookie.split(';')[0]!, origin: 'https://campus.test' });
      expect(answer.status).to.equal(200);
      expect(cookieOf(answer.headers)).to.include(answer.body.refreshToken);
      expect((await me(answer.body.accessToken)).status).to.equal(200);
    });

    it('are not carried on by other sites', async () => {
      const { headers } = await login(await api!.register());
      const cookie = cookieOf(headers).split(';')[0]!;
      for (const foreign of [{ origin: 'https://evil.test' }, { origin: 'null', 'x-requested-with': 'fetch' }, {}]) {
        expectProblem(await refresh({ cookie, ...foreign }), 403, 'CROSS_SITE_REFUSED');
      }
      expect((await refresh({ cookie, 'x-requested-with': 'fetch' })).status).to.equal(200);
      expectProblem(await refresh({ 'x-requested-with': 'fetch' }), 401, 'REFRESH_TOKEN_INVALID');
    });

    it('take the cookie away when they end', async () => {
      const { body } = await login(await api!.register());
      const { headers } = await api!.request('POST', '/auth/logout', undefined, { token: body.accessToken });
      expect(cookieOf(headers)).to.match(/^atrium_refresh=; Max-Age=0; Path=\/api\/v1\/auth;/);
    });
  });
});
