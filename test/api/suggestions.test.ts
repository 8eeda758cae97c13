import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { pairOf } from '../../src/modules/network/connection.service.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, NOBODY } from './helpers.js';
import { suggested, told } from './suggestion-scene.js';

describe('Suggested people', () => {
  let campus: Campus;
  let api: Api;
  // Each test has a department and companies of its own, so that its people have nothing in common with the others'.
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
  });
  after(() => campus.close());

  const person = async (name: string, profile: object = {}): Promise<Person> => {
    const one = await api.register({ name });
    const { status, body } = await one.patch('/profiles/me', profile);
    expect(status, JSON.stringify(body)).to.equal(200);
    return one;
  };
  const crowd = (names: string[], profile: object = {}): Promise<Person[]> =>
    Promise.all(names.map((name) => person(name, profile)));
  const ask = async (from: Person, to: Person): Promise<string> => {
    const { status, body } = await from.post('/connections', { userId: to.id });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id as string;
  };
  const connect = async (one: Person, ...others: Person[]): Promise<void> => {
    const asked = await Promise.all(others.map(async (other) => ({ other, id: await ask(one, other) })));
    await Promise.all(asked.map(({ other, id }) => other.put(`/connections/${id}/accept`)));
  };
  const names = async (to: Person): Promise<string[]> => (await suggested(to)).map(({ user }) => user.name);

  it('are those with the most in common, each with the reason', async () => {
    const ego = await person('Ego', {
      campus: 'Irbid',
      department: 'كلية الهندسة',
      graduationYear: 2024,
      skills: ['Go', 'SQL', 'Rust'],
      experience: [{ company: 'Acme Labs', position: 'X', startDate: '2024-09' }],
    });
    const [adam, beth, carl, known, far] = (await crowd(['Adam', 'Beth', 'Carl', 'Known to three', 'Far away'])) as [
      Person,
      Person,
      Person,
      Person,
      Person,
    ];
    await connect(ego, adam, beth, carl);
    await connect(known, adam, beth, carl);
    const colleague = await person('Known to one and colleague', {
      experience: [{ company: 'ACME labs', position: 'Y', startDate: '2020-01', endDate: '2021-01' }],
    });
    await connect(beth, colleague);
    await Promise.all([
      person('Colleague', { experience: [{ company: 'acme  labs', position: 'Z', startDate: '2019-05' }] }),
      person('Cohort', { campus: 'irbid', graduationYear: 2024 }),
      person('Year only', { campus: 'Amman', graduationYear: 2024 }),
      person('Department', { department: 'كليه الهندسه' }),
      person('Skilled', { skills: ['sql'] }),
      person('Stranger', { campus: 'Amman', department: 'Law', skills: ['Latin'] }),
    ]);
    // The friends of friends' friends are nobody's acquaintances here.
    await connect(known, far);

    const found = await suggested(ego);
    expect(told(found)).to.deep.equal([
      ['Known to three', 3, 'MUTUAL_CONNECTIONS'],
      ['Known to one and colleague', 1, 'MUTUAL_CONNECTIONS'],
      ['Colleague', 0, 'SAME_COMPANY'],
      ['Cohort', 0, 'SAME_COHORT'],
      ['Department', 0, 'SAME_DEPARTMENT'],
      ['Skilled', 0, 'SHARED_SKILLS'],
    ]);
    expect(found[0].user).to.include({ id: known.id, role: 'student' });
    expect(told(await suggested(ego, '?limit=2'))).to.deep.equal(told(found).slice(0, 2));
  }).timeout(30_000);

  it('are never those one is tied to, has dismissed, or must not see', async () => {
    const shared = { department: 'Physics' };
    const [ego, friend, asked, asking, refused, dismissed, blocked, blocking, gone, open] = (await crowd(
      ['Ego', 'Friend', 'Asked', 'Asking', 'Refused', 'Dismissed', 'Blocked', 'Blocking', 'Gone', 'Open'],
      shared,
    )) as [Person, Person, Person, Person, Person, Person, Person, Person, Person, Person];
    const others = { asked, asking, refused, dismissed, blocked, blocking, gone, open };
    await connect(ego, friend);
    await connect(friend, ...Object.values(others));
    const all = Object.values(others).map(({ name }) => name);
    expect(await names(ego)).to.have.members(all);

    await ask(ego, others.asked);
    await ask(others.asking, ego);
    await ego.put(`/connections/${await ask(others.refused, ego)}/reject`);
    expect((await ego.post(`/connections/suggestions/${others.dismissed.id}/dismiss`)).status).to.equal(204);
    await ego.post(`/users/${others.blocked.id}/block`);
    await others.blocking.post(`/users/${ego.id}/block`);
    await campus.db
      .collection('users')
      .updateOne({ name: 'Gone' }, { $set: { deletion: { requestedAt: new Date(), dueAt: new Date() } } });
    expect(told(await suggested(ego))).to.deep.equal([['Open', 1, 'MUTUAL_CONNECTIONS']]);
    for (const hidden of [others.blocked, others.blocking]) {
      expect(await names(hidden)).to.not.include('Ego');
    }
    // Who dismisses somebody is suggested to them all the same.
    expect(await names(others.dismissed)).to.include('Ego');
    // A request that was withdrawn leaves no tie.
    const [request] = (await ego.get('/connections/requests?direction=out')).body.data;
    await ego.delete(`/connections/${request.id}`);
    expect(await names(ego)).to.have.members(['Open', 'Asked']);
  }).timeout(30_000);

  it('do not tell what a profile shows to connections only', async () => {
    const shared = { department: 'Astronomy', skills: ['Optics'] };
    const [ego, known, reserved] = (await crowd(['Ego', 'Reserved and known', 'Reserved'], shared)) as [
      Person,
      Person,
      Person,
    ];
    const friend = await person('Friend');
    await connect(friend, ego, known);
    for (const one of [known, reserved]) await one.patch('/settings/privacy', { viewProfile: 'connections' });
    expect(told(await suggested(ego))).to.deep.equal([['Reserved and known', 1, 'MUTUAL_CONNECTIONS']]);
    await friend.post(`/users/${known.id}/block`);
    await until(
      () => campus.db.collection('connections').countDocuments(pairOf(friend.id, known.id)),
      (count) => count === 0,
    );
    expect(await suggested(ego)).to.deep.equal([]);
    await reserved.patch('/settings/privacy', { viewProfile: 'everyone' });
    expect(told(await suggested(ego))).to.deep.equal([['Reserved', 0, 'SAME_DEPARTMENT']]);
  }).timeout(30_000);

  it('are none for who is new, ten an hour, and only for who is signed in', async () => {
    const newcomer = await api.register();
    expect(await suggested(newcomer)).to.deep.equal([]);
    for (const limit of ['0', '51', 'x']) {
      expectInvalid(await newcomer.get(`/connections/suggestions?limit=${limit}`), 'query.limit');
    }
    const curious = await api.register();
    const answers = await Promise.all(Array.from({ length: 12 }, () => curious.get('/connections/suggestions')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 200), 429, 429]);
    expectProblem(await api.request('GET', '/connections/suggestions'), 401, 'UNAUTHORIZED');

    expectProblem(await newcomer.post(`/connections/suggestions/${NOBODY}/dismiss`), 404, 'USER_NOT_FOUND');
    expectInvalid(await newcomer.post('/connections/suggestions/x/dismiss'), 'params.userId');
    expectProblem(await api.request('POST', `/connections/suggestions/${NOBODY}/dismiss`), 401, 'UNAUTHORIZED');
    const other = await api.register();
    const twenty = Array.from({ length: 20 }, () => newcomer.post(`/connections/suggestions/${other.id}/dismiss`));
    expect(new Set((await Promise.all(twenty)).map(({ status }) => status))).to.deep.equal(new Set([204]));
    expect(
      await campus.db.collection('suggestionDismissals').countDocuments({ dismissedId: new ObjectId(other.id) }),
    ).to.equal(1);
  });
});
