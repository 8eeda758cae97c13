import { expect } from 'chai';
import { expectProblem } from '../../api/helpers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../../support/campus.js';

const OLD = `old:${'o'.repeat(32)}`;
const NEW = `new:${'n'.repeat(32)}`;

describe('OWASP API2: broken authentication', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open({ ...WITHOUT_WORKERS, TRUST_PROXY: '1' });
    api = await campus.startNode({ env: { JWT_KEYS: OLD } });
    person = await api.register();
  });
  after(() => campus.close());

  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid as string;

  it('API2: keys rotate without signing anyone out, and a key that was taken away is good for nothing', async () => {
    const rotated = await campus.startNode({ env: { JWT_KEYS: `${NEW},${OLD}` } });
    const old = person.on(rotated);
    expect(kidOf(old.token)).to.equal('old');
    expect((await old.get('/users/me')).status).to.equal(200);
    const { refreshToken } = old;
    const { status, body } = await rotated.request('POST', '/auth/refresh', { refreshToken });
    expect(status).to.equal(200);
    expect(kidOf(body.accessToken)).to.equal('new');

    const later = await campus.startNode({ env: { JWT_KEYS: NEW } });
    const stays = await later.request('GET', '/users/me', undefined, { token: body.accessToken });
    expect(stays.status).to.equal(200);
    expectProblem(await person.on(later).get('/users/me'), 401, 'TOKEN_INVALID');
    const spent = await later.request('POST', '/auth/refresh', { refreshToken });
    expectProblem(spent, 401, 'REFRESH_TOKEN_INVALID');
  });

  it('API2: a key that could be guessed, or of which there are two with one name, stops the start', async () => {
    const wrong: [keys: string, complaint: RegExp][] = [
      [`k1:${'x'.repeat(31)}`, /secret of "k1" is shorter than 32 bytes/],
      [`k1:${'x'.repeat(32)},k1:${'y'.repeat(32)}`, /used twice/],
      ['x'.repeat(40), /kid:secret pairs/],
    ];
    for (const [JWT_KEYS, complaint] of wrong) {
      const failure = await campus.startNode({ env: { JWT_KEYS } }).then(
        () => 'it started',
        (error: unknown) => String(error),
      );
      expect(failure).to.match(complaint);
    }
  });

  it('API2: passwords cannot be tried without end, from however many addresses', async () => {
    let address = 0;
    const tryOut = (password: string) =>
      api.request(
        'POST',
        '/auth/login',
        { email: person.email, password },
        { headers: { 'x-forwarded-for': `10.8.0.${++address}` } },
      );
    const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => tryOut(`guess number ${at}`)));
    for (const answer of answers) expectProblem(answer, 401, 'INVALID_CREDENTIALS');
    // Locked: the right one gets the same answer, which tells nothing.
    expectProblem(await tryOut(person.password), 401, 'INVALID_CREDENTIALS');
  });
});
