import { expect } from 'chai';
import { DAY } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { newCode } from './auth-mail.js';
import { expectProblem, registerAs } from './helpers.js';

describe('The last admin', () => {
  let campus: Campus;
  let [api, otherNode]: [Api, Api] = [] as never;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
    otherNode = await campus.startNode();
  });
  after(() => campus.close());
  // Each test begins without any.
  beforeEach(() => campus.db.collection('users').updateMany({ role: 'admin' }, { $set: { role: 'student' } }));

  const newAdmin = (on = api) => registerAs(campus, on, 'admin');
  const leave = (person: Person, code: string): Promise<Answer<Json>> =>
    person.delete('/users/me', { password: person.password, code });
  const codeOf = (person: Person) => newCode(campus, person, 'erasure');
  const decide = (by: Person, person: Person, decision: object) => by.patch(`/admin/users/${person.id}`, decision);
  const inAWeek = () => new Date(campus.clock.now().getTime() + 7 * DAY);
  const adminsLeft = () =>
    campus.db.collection('users').countDocuments({
      role: 'admin',
      deletion: null,
      $or: [{ suspendedUntil: null }, { suspendedUntil: { $lte: campus.clock.now() } }],
    });

  it('cannot give the account up, until there is another one; the code stays good', async () => {
    const admin = await newAdmin();
    const code = await codeOf(admin);
    expectProblem(await leave(admin, code), 409, 'LAST_ADMIN');
    expect((await admin.get('/users/me')).status).to.equal(200);
    const successor = await api.register();
    expect((await decide(admin, successor, { role: 'admin' })).status).to.equal(200);
    expect((await leave(admin, code)).status).to.equal(202);
    expectProblem(await leave(successor, await codeOf(successor)), 409, 'LAST_ADMIN');
  });

  it('is not replaced by one who is suspended or has given up as well, but by one whose suspension is over', async () => {
    const [admin, suspended, gone] = [await newAdmin(), await newAdmin(), await newAdmin()];
    expect((await decide(admin, suspended, { suspendedUntil: inAWeek() })).status).to.equal(200);
    expect((await leave(gone, await codeOf(gone))).status).to.equal(202);
    expectProblem(await leave(admin, await codeOf(admin)), 409, 'LAST_ADMIN');
    campus.clock.advance(8 * DAY);
    const back = await api.signIn(admin.email, admin.password);
    expect((await leave(back, await codeOf(back))).status).to.equal(202);
  });

  it('cannot be demoted or suspended by themself', async () => {
    const admin = await newAdmin();
    expectProblem(await decide(admin, admin, { role: 'student' }), 403, 'NOT_YOURSELF');
    expectProblem(await decide(admin, admin, { suspendedUntil: inAWeek() }), 403, 'NOT_YOURSELF');
    expect(await adminsLeft()).to.equal(1);
  });

  it('is one of two who give up at once, on whichever node', async () => {
    for (let round = 0; round < 4; round += 1) {
      const [one, other] = [await newAdmin(), await newAdmin(otherNode)];
      const codes = [await codeOf(one), await codeOf(other)] as const;
      const answers = await Promise.all([leave(one, codes[0]), leave(other, codes[1])]);
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([202, 409]);
      expectProblem(
        answers.find(({ status }) => status === 409)!,
        409,
        'LAST_ADMIN',
      );
      expect(await adminsLeft()).to.equal(1);
      await campus.db.collection('users').updateMany({ role: 'admin' }, { $set: { role: 'student' } });
    }
  });

  it('is left where one of two demotes or suspends the other and gives up at the same moment', async () => {
    for (const decision of [{ role: 'student' }, { suspendedUntil: inAWeek() }, { role: 'alumni' }]) {
      const [one, other] = [await newAdmin(), await newAdmin()];
      const code = await codeOf(one);
      const [left, decided] = await Promise.all([leave(one, code), decide(one.on(otherNode), other, decision)]);
      if (left.status === 202) {
        // Whoever has given up decides nothing any more.
        expect(decided.status, JSON.stringify(decided.body)).to.be.oneOf([401, 403]);
      } else {
        expectProblem(left, 409, 'LAST_ADMIN');
        expect(decided.status).to.equal(200);
      }
      expect(await adminsLeft()).to.equal(1);
      await campus.db.collection('users').updateMany({ role: 'admin' }, { $set: { role: 'student' } });
    }
  });

  it('is no concern of others, who give up as they like', async () => {
    await newAdmin();
    const person = await registerAs(campus, api, 'moderator');
    expect((await leave(person, await codeOf(person))).status).to.equal(202);
  });
});
