import { expect } from 'chai';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { expectInvalid, expectProblem } from './helpers.js';

const EMOJI = '🐙🌵🎻🪁🧭🦜🍇🛶🪐🧩🎈🦔';
const LONGEST = 'نخلة عند بئر'.padEnd(128, 'ك');

const VALID = { name: 'Amal Haddad', password: 'correct horse battery', role: 'student' };

describe('Registering', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  const register = (changes: object) => api.request('POST', '/auth/register', { ...VALID, ...changes });
  const signIn = (email: string, password: string) => api.request('POST', '/auth/login', { email, password });

  it('answers with the account and both tokens, and with nothing that is to stay on the server', async () => {
    const { status, body } = await register({ email: 'amal@campus.test' });
    expect(status).to.equal(201);
    expect(body).to.have.all.keys('user', 'accessToken', 'refreshToken', 'expiresIn');
    expect(body.expiresIn).to.equal(15 * 60);
    const { id, createdAt, ...rest } = body.user;
    expect(id).to.match(/^[0-9a-f]{24}$/);
    expect(new Date(createdAt).toISOString()).to.equal(createdAt);
    expect(rest).to.deep.equal({
      name: 'Amal Haddad',
      email: 'amal@campus.test',
      role: 'student',
      locale: 'en',
      emailVerified: false,
    });

    const me = await api.request('GET', '/users/me', undefined, { token: body.accessToken });
    expect(me.body).to.deep.equal(body.user);
  });

  it('takes the language that was asked for', async () => {
    const { body } = await register({ email: 'arabic@campus.test', locale: 'ar' });
    expect(body.user.locale).to.equal('ar');
    expectInvalid(await register({ email: 'french@campus.test', locale: 'fr' }), 'body.locale');
  });

  it('takes an address once, however it is written', async () => {
    expect((await register({ email: '  Zoe\u0308.Ahmad@Campus.TEST ' })).body.user.email).to.equal(
      'zo\u00eb.ahmad@campus.test',
    );
    for (const email of ['zo\u00eb.ahmad@campus.test', 'ZO\u00cb.AHMAD@CAMPUS.TEST', 'zoe\u0308.ahmad@campus.test']) {
      expectProblem(await register({ email }), 409, 'EMAIL_TAKEN');
      expect((await signIn(email, VALID.password)).status).to.equal(200);
    }
  });

  it('lets exactly one of twenty win who register the same address at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => register({ email: 'wanted@campus.test', name: `Person ${index}` })),
    );
    const [winner, ...others] = answers.filter(({ status }) => status === 201);
    expect(others).to.be.empty;
    for (const answer of answers) if (answer !== winner) expectProblem(answer, 409, 'EMAIL_TAKEN');

    const me = await signIn('wanted@campus.test', VALID.password);
    expect(me.body.user).to.deep.equal(winner?.body.user);
    expect(await campus.db.collection('users').countDocuments({ email: 'wanted@campus.test' })).to.equal(1);
  });

  it('wants a password of 12 to 128 characters, counted as people count them', async () => {
    const withPassword = (name: string, password: unknown) => register({ email: `${name}@campus.test`, password });
    expectInvalid(await withPassword('short', 'x'.repeat(11)), 'body.password');
    expectInvalid(await withPassword('long', 'x'.repeat(129)), 'body.password');
    expectInvalid(await withPassword('number', 123456789012), 'body.password');
    // Eleven emoji are 22 UTF-16 units.
    expectInvalid(await withPassword('few-emoji', '🔐'.repeat(11)), 'body.password');
    expect((await withPassword('emoji', EMOJI)).status).to.equal(201);
    expect((await withPassword('longest', LONGEST)).status).to.equal(201);
    expect((await signIn('longest@campus.test', LONGEST)).status).to.equal(200);
  });

  it('keeps the spaces of a password and compares it in one Unicode form', async () => {
    const person = await register({ email: 'spaces@campus.test', password: '  caf\u00e9 au lait ' });
    expect(person.status).to.equal(201);
    expect((await signIn('spaces@campus.test', '  cafe\u0301 au lait ')).status).to.equal(200);
    expectProblem(await signIn('spaces@campus.test', 'caf\u00e9 au lait'), 401, 'INVALID_CREDENTIALS');
  });

  it('makes nobody a moderator or an admin', async () => {
    for (const role of ['admin', 'moderator', 'ADMIN', 'student,admin']) {
      expectInvalid(await register({ email: 'climber@campus.test', role }), 'body.role');
    }
    expectInvalid(await register({ email: 'climber@campus.test', isAdmin: true }), 'body.isAdmin');
    expectProblem(await signIn('climber@campus.test', VALID.password), 401, 'INVALID_CREDENTIALS');
  });

  it('says everything that is wrong at once', async () => {
    const answer = await api.request('POST', '/auth/register', { name: ' ', email: 'nowhere', password: 'short' });
    expectInvalid(answer, 'body.name', 'body.email', 'body.password', 'body.role');
  });

  it('stores neither password nor token in a form that could be used', async () => {
    const password = 'a password like no other';
    const { body } = await register({ email: 'leak@campus.test', password });
    for (const { name } of await campus.db.listCollections().toArray()) {
      if (name === 'secrets' || name.startsWith('system.')) continue;
      const stored = JSON.stringify(await campus.db.collection(name).find().toArray());
      for (const secret of [password, body.accessToken, body.refreshToken]) expect(stored).not.to.include(secret);
    }
  });
});
