import { expect } from 'chai';
import { DAY, MINUTE, SECOND } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus } from '../support/campus.js';
import { expectProblem } from './helpers.js';

describe('A session', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());

  const refresh = (refreshToken: string, on = api!): Promise<Answer<Json>> =>
    on.request('POST', '/auth/refresh', { refreshToken });
  const me = (token: string, on = api!): Promise<Answer<Json>> => on.request('GET', '/users/me', undefined, { token });

  it('goes on with a new pair of tokens for each refresh', async () => {
    const person = await api!.register();
    let { refreshToken } = person;
    const seen = new Set([refreshToken]);
    for (const node of [api, otherNode, api]) {
      const { status, body } = await refresh(refreshToken, node);
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('accessToken', 'refreshToken', 'expiresIn');
      expect((await me(body.accessToken)).body.id).to.equal(person.id);
      ({ refreshToken } = body);
      seen.add(refreshToken);
    }
    expect(seen.size).to.equal(4);
  });

  it('gives two tabs that refresh at once, even on two nodes, the same successor', async () => {
    const person = await api!.register();
    const tabs = await Promise.all([api, otherNode, api, otherNode].map((node) => refresh(person.refreshToken, node)));
    for (const { status, body } of tabs) {
      expect(status).to.equal(200);
      expect(body.refreshToken).to.equal(tabs[0]?.body.refreshToken);
      expect((await me(body.accessToken)).status).to.equal(200);
    }
    expect((await refresh(tabs[0]?.body.refreshToken)).status).to.equal(200);
  });

  it('still answers a tab that comes nine seconds late', async () => {
    const person = await api!.register();
    const first = await refresh(person.refreshToken);
    campus.clock.advance(9 * SECOND);
    const late = await refresh(person.refreshToken);
    expect(late.status).to.equal(200);
    expect(late.body.refreshToken).to.equal(first.body.refreshToken);
  });

  it('ends everywhere when a refresh token is used again later: someone else has it', async () => {
    const person = await api!.register();
    const { body: current } = await refresh(person.refreshToken);
    const [here, there] = [
      await person.connect('/notifications'),
      await person.on(otherNode!).connect('/notifications'),
    ];
    campus.clock.advance(11 * SECOND);
    expectProblem(await refresh(person.refreshToken), 401, 'REFRESH_TOKEN_REUSED');

    for (const token of [person.token, current.accessToken]) expectProblem(await me(token), 401, 'SESSION_ENDED');
    expectProblem(await refresh(current.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
    expectProblem(await refresh(person.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
    await Promise.all([here.closed(), there.closed()]);
    expectProblem(await me(current.accessToken, otherNode), 401, 'SESSION_ENDED');
  });

  it('ends when a token from before the last one comes back, however soon', async () => {
    const person = await api!.register();
    const { body: second } = await refresh(person.refreshToken);
    const { body: third } = await refresh(second.refreshToken);
    expectProblem(await refresh(person.refreshToken), 401, 'REFRESH_TOKEN_REUSED');
    expectProblem(await refresh(third.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
  });

  it('is not ended by tokens that were never given out', async () => {
    const person = await api!.register();
    const [kid, sessionId, generation, mac] = person.refreshToken.split('.');
    const forged = [
      'nonsense',
      [kid, sessionId, Number(generation) + 1, mac].join('.'),
      [kid, person.id, generation, mac].join('.'),
      ['other', sessionId, generation, mac].join('.'),
      [kid, sessionId, generation, mac?.split('').reverse().join('')].join('.'),
    ];
    for (const token of forged) expectProblem(await refresh(token), 401, 'REFRESH_TOKEN_INVALID');
    expectProblem(await me(`${person.token}x`), 401, 'TOKEN_INVALID');
    // A refresh token is no access token.
    expectProblem(await me(person.refreshToken), 401, 'TOKEN_INVALID');
    expect((await refresh(person.refreshToken)).status).to.equal(200);
  });

  it('wants a new access token every fifteen minutes', async () => {
    const person = await api!.register();
    expect((await person.get('/users/me')).status).to.equal(200);
    campus.clock.advance(15 * MINUTE + SECOND);
    expectProblem(await person.get('/users/me'), 401, 'TOKEN_EXPIRED');
    // Clients send what they have with everything, also where they get the next one.
    const { status, body } = await person.post('/auth/refresh', { refreshToken: person.refreshToken });
    expect(status).to.equal(200);
    expect((await me(body.accessToken)).status).to.equal(200);
    const { email, password } = person;
    expect((await person.post('/auth/login', { email, password })).status).to.equal(200);
  });

  it('is over after thirty days without a refresh', async () => {
    const person = await api!.register();
    campus.clock.advance(30 * DAY + SECOND);
    expectProblem(await refresh(person.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
  });

  it('ends at once by signing out, on both nodes and for all its sockets, and ends alone', async () => {
    const phone = await api!.register();
    const laptop = await api!.signIn(phone.email, phone.password);
    const elsewhere = phone.on(otherNode!);
    for (const each of [phone, elsewhere]) expect((await each.get('/users/me')).status).to.equal(200);
    const sockets = await Promise.all([
      phone.connect('/notifications'),
      phone.connect('/feed'),
      elsewhere.connect('/notifications'),
      elsewhere.connect('/feed'),
    ]);
    const laptopSocket = await laptop.on(otherNode!).connect('/notifications');

    const { status, body } = await phone.post('/auth/logout');
    expect({ status, body }).to.deep.equal({ status: 204, body: '' });
    expectProblem(await phone.get('/users/me'), 401, 'SESSION_ENDED');
    await Promise.all(sockets.map((socket) => socket.closed()));
    expectProblem(await elsewhere.get('/users/me'), 401, 'SESSION_ENDED');
    expectProblem(await phone.post('/auth/logout'), 401, 'SESSION_ENDED');
    expectProblem(await refresh(phone.refreshToken), 401, 'REFRESH_TOKEN_INVALID');
    const refusal: Json = await elsewhere.connect('/notifications').catch((error: unknown) => error);
    expect(refusal.data).to.include({ status: 401, code: 'SESSION_ENDED' });

    expect((await laptop.get('/users/me')).status).to.equal(200);
    expect(laptopSocket.socket.connected).to.equal(true);
    laptop.disconnect();
  });

  it('is refused by the node that ended it from the very next request on', async () => {
    const people = await Promise.all(Array.from({ length: 30 }, () => api!.register()));
    await Promise.all(
      people.map(async (person) => {
        expect((await person.get('/users/me')).status).to.equal(200);
        expect((await person.post('/auth/logout')).status).to.equal(204);
        expectProblem(await person.get('/users/me'), 401, 'SESSION_ENDED');
      }),
    );
  });
});
