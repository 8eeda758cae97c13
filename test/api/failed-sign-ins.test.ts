import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectProblem } from './helpers.js';
import { Authenticator, challengeFor, elsewhere, verify } from './two-factor.js';

describe('Failed sign-ins', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  let admin: Person;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    otherNode = await campus.startNode({ env: { TRUST_PROXY: '1' } });
    admin = await api.admin();
  });
  after(() => campus.close());

  const attempt = (email: string, password: string, on = api, choices = elsewhere()): Promise<Answer<Json>> =>
    on.request('POST', '/auth/login', { email, password }, choices);
  const rows = async (filter: string): Promise<Json[]> =>
    (await admin.get(`/audit?action=signIn.failed&limit=100&${filter}`)).body.data as Json[];
  const rowsOf = (person: Person) => rows(`targetId=${person.id}`);
  /** Waits until the audit has heard of everything that has happened so far. */
  const caughtUp = async (): Promise<void> => {
    const { id } = await api.register();
    await until(
      async () => (await admin.get(`/audit?targetId=${id}`)).body.data as Json[],
      ({ length }) => length > 0,
    );
  };

  it('stand in the audit: at whose account, when, why and from where', async () => {
    const person = await api.register();
    const from = { headers: { 'x-forwarded-for': '10.9.0.1', 'user-agent': 'Netscape/4.0' } };
    const { headers } = await attempt(person.email, 'a secret guess', api, from);
    const [row, ...none] = await until(
      () => rowsOf(person),
      ({ length }) => length > 0,
    );
    expect(none).to.deep.equal([]);
    expect(row).to.deep.include({
      action: 'signIn.failed',
      targetId: person.id,
      entity: { kind: 'user', id: person.id },
      reason: 'wrongPassword',
      requestId: headers.get('x-request-id'),
      origin: { ip: '10.9.0.1', userAgent: 'Netscape/4.0' },
    });
    expect(row).not.to.have.property('actorId');
    expect(Date.parse(row.at)).to.be.closeTo(campus.clock.now().getTime(), 30_000);
  });

  it('at accounts that there are not stand there as well, without the address, and from where for a while only', async () => {
    const { headers } = await attempt('unmistakable-nobody@campus.test', 'an unmistakable guess');
    const requestId = headers.get('x-request-id');
    const row = await until(
      async () => (await rows('')).find((each) => each.requestId === requestId),
      (found) => found !== undefined,
    );
    expect(row).to.include({ reason: 'wrongPassword' });
    expect(row).to.not.have.any.keys('targetId', 'actorId');
    expect(row.origin.ip).to.match(/^10\.5\./);
    const origin = await campus.db.collection('auditOrigins').findOne({ _id: new ObjectId(row.id as string) });
    expect(origin!['expiresAt'].getTime()).to.be.closeTo(campus.clock.now().getTime() + 90 * DAY, 60_000);
    const stored = await Promise.all(
      ['audit', 'auditOrigins', 'events'].map((name) => campus.db.collection(name).find().toArray()),
    );
    expect(JSON.stringify(stored)).not.to.match(/unmistakable/);
  });

  it('are written alike for known and unknown addresses, and for locked accounts', async () => {
    const [person, locked] = [await api.register(), await api.register()];
    for (let at = 0; at < 5; at += 1) await attempt(locked.email, `guess ${at}`);
    const written = () => campus.db.collection('events').countDocuments({ type: 'signIn.failed' });
    const counts = [await written()];
    for (const email of [person.email, `no-${person.email}`, locked.email]) {
      expectProblem(await attempt(email, 'not the password'), 401, 'INVALID_CREDENTIALS');
      counts.push(await written());
    }
    expect(counts.map((count) => count - counts[0]!)).to.deep.equal([0, 1, 2, 3]);
  });

  it('fill it with no more than those that count, however many come at once to a locked account', async () => {
    const person = await api.register();
    const many = () =>
      Promise.all(Array.from({ length: 8 }, (_, at) => attempt(person.email, `guess ${at}`, at % 2 ? api : otherNode)));
    for (const answer of [...(await many()), ...(await many())]) expectProblem(answer, 401, 'INVALID_CREDENTIALS');
    expectProblem(await attempt(person.email, person.password), 401, 'INVALID_CREDENTIALS');
    await caughtUp();
    expect(await rowsOf(person)).to.have.length(5);
  });

  it('are also those of whoever is asked once more, and of the second factor, but none that succeeds', async () => {
    const person = await api.register();
    const { password } = person;
    const app = await Authenticator.enabledFor(campus, person);
    const challenge = await challengeFor(api, person);
    expectProblem(await verify(api, { challenge, code: app.now(5) }), 400, 'CODE_INVALID');
    expect((await verify(api, { challenge, code: app.next() })).status).to.equal(200);
    const disable = (body: object) => person.post('/auth/2fa/disable', body, elsewhere());
    expectProblem(await disable({ password: 'not it', code: app.next() }), 401, 'INVALID_CREDENTIALS');
    expectProblem(await disable({ password, code: app.now(5) }), 400, 'CODE_INVALID');
    expect((await disable({ password, code: app.now() })).status).to.equal(204);
    await caughtUp();
    expect((await rowsOf(person)).map(({ reason, actorId }) => [reason, actorId])).to.deep.equal([
      ['wrongCode', person.id],
      ['wrongPassword', person.id],
      ['wrongCode', undefined],
    ]);
  });

  it('at a second factor are five at most, too', async () => {
    const person = await api.register();
    const app = await Authenticator.enabledFor(campus, person);
    const challenges = await Promise.all(Array.from({ length: 4 }, () => challengeFor(api, person)));
    const guesses = [...challenges, ...challenges].map((challenge, at) =>
      verify(at % 2 ? api : otherNode, { challenge, code: app.now(5) }),
    );
    for (const answer of await Promise.all(guesses)) expectProblem(answer, 400, 'CODE_INVALID');
    await caughtUp();
    expect(await rowsOf(person)).to.have.length(5);
  });
});
