import { createHmac, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { MINUTE } from '../../src/core/clock.js';
import { type Person } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { expectProblem } from './problem.js';

const SECRET = 's'.repeat(48);

describe('Access tokens', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode({ env: { JWT_KEYS: `now:${SECRET}` } });
  });
  beforeEach(async () => {
    person = await api.register();
  });
  after(() => campus.close());

  async function refused(token: string, code: string, what: string): Promise<void> {
    const answer = await api.request('GET', '/users/me', undefined, { token });
    expect(expectProblem(answer, 401, what), what).to.equal(code);
    expect(answer.headers.get('www-authenticate'), what).to.equal('Bearer');
  }

  const claims = (): Record<string, unknown> => jwt.decode(person.token) as Record<string, unknown>;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const header = { alg: 'HS256', typ: 'JWT', kid: 'now' };
  const forge = (head: object, body: object, secret: string | Buffer, hash = 'sha256'): string => {
    const signed = `${encode(head)}.${encode(body)}`;
    return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
  };

  it('made by this very recipe are let in, so that the refusals below are about what they name', async () => {
    const answer = await api.request('GET', '/users/me', undefined, { token: forge(header, claims(), SECRET) });
    expect(answer.status).to.equal(200);
    expect(answer.body.id).to.equal(person.id);
  });

  it('end after 15 minutes', async () => {
    campus.clock.advance(14 * MINUTE);
    expect((await person.get('/users/me')).status).to.equal(200);
    campus.clock.advance(MINUTE + 1_000);
    await refused(person.token, 'TOKEN_EXPIRED', 'expired');
  });

  it('are refused unless signed by a key of this server with the one algorithm', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const [head, body] = person.token.split('.');
    const cases: Record<string, string> = {
      'another secret': forge(header, claims(), 't'.repeat(48)),
      'an empty secret': forge(header, claims(), ''),
      'no signature': `${head}.${body}.`,
      'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
      'alg None with the old signature': `${encode({ ...header, alg: 'None' })}.${person.token.split('.').slice(1).join('.')}`,
      'the right secret, but HS512': forge({ ...header, alg: 'HS512' }, claims(), SECRET, 'sha512'),
      'RS256 by a key of one’s own': jwt.sign(claims(), privateKey, { algorithm: 'RS256', keyid: 'now' }),
      'HS256 keyed by a public key': forge(header, claims(), pem),
      'an unknown kid': forge({ ...header, kid: 'other' }, claims(), SECRET),
      'no kid': forge({ alg: 'HS256', typ: 'JWT' }, claims(), SECRET),
      'a kid that names a file': forge({ ...header, kid: '../../../dev/null' }, claims(), ''),
      'a kid of the prototype': forge({ ...header, kid: '__proto__' }, claims(), ''),
      'a kid that is an object': forge({ ...header, kid: { now: true } }, claims(), SECRET),
      'a key brought along': forge({ ...header, jwk: { kty: 'oct', k: encode({}) } }, claims(), encode({})),
      'changed claims': `${head}.${encode({ ...claims(), sub: 'f'.repeat(24) })}.${person.token.split('.')[2]}`,
    };
    for (const [what, token] of Object.entries(cases)) await refused(token, 'TOKEN_INVALID', what);
  });

  it('are refused where user and session do not belong together, even if well signed', async () => {
    const other = await api.register();
    const { sid } = jwt.decode(other.token) as { sid: string };
    await refused(forge(header, { ...claims(), sid }, SECRET), 'SESSION_ENDED', 'another’s session');
    await refused(forge(header, { ...claims(), sub: other.id }, SECRET), 'SESSION_ENDED', 'another user');
    await refused(forge(header, { ...claims(), sid: 'f'.repeat(24) }, SECRET), 'SESSION_ENDED', 'no such session');
  });

  it('are refused with claims of the wrong type', async () => {
    const wrong: Record<string, object> = {
      'a numeric subject': { sub: 7 },
      'an operator as subject': { sub: { $ne: null } },
      'an operator as session': { sid: { $ne: null } },
      'no session': { sid: undefined },
      'a list of sessions': { sid: [claims()['sid']] },
      'an end that is text': { exp: 'tomorrow' },
      'a beginning in the future': { nbf: Math.floor(Date.now() / 1_000) + 86_400 },
    };
    for (const [what, change] of Object.entries(wrong)) {
      await refused(forge(header, { ...claims(), ...change }, SECRET), 'TOKEN_INVALID', what);
    }
  });

  it('are refused, and harm nothing, where they are garbage', async () => {
    const cases: [string, string][] = [
      ['dots', '...'],
      ['one part', 'abc'],
      ['four parts', `${person.token}.x`],
      ['no JSON', 'YWJj.YWJj.YWJj'],
      ['JSON null', `${Buffer.from('null').toString('base64url')}.${Buffer.from('null').toString('base64url')}.x`],
      ['the refresh token', person.refreshToken],
      ['long', 'a'.repeat(12_000)],
    ];
    for (const [what, token] of cases) await refused(token, 'TOKEN_INVALID', what);
    const headers = [
      'Basic dXNlcjpwYXNz',
      'Bearer',
      `Bearer ${person.token} x`,
      `bearer,${person.token}`,
      person.token,
    ];
    for (const authorization of headers) {
      const answer = await api.request('GET', '/users/me', undefined, { headers: { authorization } });
      expect(expectProblem(answer, 401, authorization)).to.equal('TOKEN_INVALID');
    }
    const huge = await api.request('GET', '/users/me', undefined, { token: 'a'.repeat(100_000) });
    expect(huge.status).to.equal(431);
    expect((await person.get('/users/me')).status).to.equal(200);
  });
});
