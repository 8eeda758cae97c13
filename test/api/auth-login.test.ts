import { expect } from 'chai';
import { type Answer, type Json, type Person } from '../support/api.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { expectProblem } from './helpers.js';

describe('Signing in', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    // Failures count per network address too: every attempt comes from an address of its own unless it says otherwise.
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
  });
  after(() => campus.close());

  let addresses = 0;
  const newAddress = (): string => `10.1.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}`;
  const signIn = (email: string, password: string, from = newAddress()): Promise<Answer<Json>> =>
    api.request('POST', '/auth/login', { email, password }, { headers: { 'x-forwarded-for': from } });
  const fail = async (person: Person, times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) expect((await signIn(person.email, `wrong ${i}`)).status).to.equal(401);
  };
  /** An answer without what differs from request to request. */
  const comparable = ({ status, headers, body: { requestId, ...body } }: Answer<Json>) => ({
    status,
    body,
    names: [...headers.keys()].sort(),
    challenge: headers.get('www-authenticate'),
    hasId: typeof requestId === 'string',
  });

  it('gives a new session each time, good on every device by itself', async () => {
    const person = await api.register();
    const [first, second] = [
      await signIn(person.email, person.password),
      await signIn(person.email.toUpperCase(), person.password),
    ];
    expect(first.status).to.equal(200);
    expect(first.body).to.have.all.keys('user', 'accessToken', 'refreshToken', 'expiresIn');
    expect(first.body.user).to.deep.equal(second.body.user);
    expect(first.body.refreshToken).not.to.equal(second.body.refreshToken);
    await api.request('POST', '/auth/logout', undefined, { token: first.body.accessToken });
    const stillIn = await api.request('GET', '/users/me', undefined, { token: second.body.accessToken });
    expect(stillIn.status).to.equal(200);
  });

  it('answers an unknown address and a wrong password in the same way', async () => {
    const person = await api.register();
    const wrong = await signIn(person.email, 'not the password');
    const unknown = await signIn('nobody@campus.test', 'not the password');
    expectProblem(wrong, 401, 'INVALID_CREDENTIALS');
    expect(comparable(unknown)).to.deep.equal(comparable(wrong));
  });

  it('locks an account after five failures, even for the right password and with the same answer', async () => {
    const [person, other] = [await api.register(), await api.register()];
    await fail(person, 4);
    expect((await signIn(person.email, person.password)).status).to.equal(200);
    const failure = await signIn(person.email, 'wrong again');
    const locked = await signIn(person.email, person.password);
    expect(comparable(locked)).to.deep.equal(comparable(failure));
    expect((await signIn(other.email, other.password)).status).to.equal(200);
    // Who is signed in stays so: a stranger's guesses must not throw anyone out.
    expect((await person.get('/users/me')).status).to.equal(200);
  });

  it('locks for fifteen minutes', async () => {
    const person = await api.register();
    await fail(person, 5);
    expectProblem(await signIn(person.email, person.password), 401, 'INVALID_CREDENTIALS');
    const counters = campus.db.collection('rateLimits');
    const [newest] = await counters
      .find({ key: /^sign-in-account:/, points: { $gte: 5 } })
      .sort({ _id: -1 })
      .toArray();
    const minutes = (newest?.['expire'].getTime() - Date.now()) / 60_000;
    expect(minutes).to.be.within(14, 15);
    // The time passes.
    await counters.updateOne({ _id: newest!._id }, { $set: { expire: new Date(Date.now() - 1) } });
    expect((await signIn(person.email, person.password)).status).to.equal(200);
  });

  it('lets no guess slip through while others are being looked at', async () => {
    const person = await api.register();
    await fail(person, 4);
    // Connections are open beforehand, so that all guesses arrive before the first has been looked at.
    await Promise.all(Array.from({ length: 10 }, () => api.request('GET', '/openapi.json')));
    const guesses = [...Array.from({ length: 9 }, (_, index) => `guess ${index}`), person.password];
    const answers = await Promise.all(guesses.map((guess) => signIn(person.email, guess)));
    for (const answer of answers) expectProblem(answer, 401, 'INVALID_CREDENTIALS');
    expectProblem(await signIn(person.email, person.password), 401, 'INVALID_CREDENTIALS');
  });

  it('turns away an address that fails with one account after another, and no other address', async () => {
    const person = await api.register();
    const from = newAddress();
    for (let i = 0; i < 5; i += 1)
      expect((await signIn(`nobody-${i}@campus.test`, 'a guess', from)).status).to.equal(401);
    const refused = await signIn(person.email, person.password, from);
    expectProblem(refused, 429, 'RATE_LIMITED');
    expect(Number(refused.headers.get('retry-after'))).to.be.within(14 * 60, 15 * 60);
    expect((await signIn(person.email, person.password)).status).to.equal(200);
  });

  it('does not count what succeeds', async () => {
    const person = await api.register();
    const from = newAddress();
    for (let i = 0; i < 8; i += 1) expect((await signIn(person.email, person.password, from)).status).to.equal(200);
  });
});
