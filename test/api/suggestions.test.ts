import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, NOBODY } from './helpers.js';

describe('Suggested people', () => {
  let campus: Campus;
  let api: Api;
  beforeEach(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
  });
  afterEach(() => campus.close());

  const person = async (name: string, profile: object = {}): Promise<Person> => {
    const one = await api.register({ name });
    const { status, body } = await one.patch('/profiles/me', profile);
    expect(status, JSON.stringify(body)).to.equal(200);
    return one;
  };
  const ask = async (from: Person, to: Person): Promise<string> => {
    const { status, body } = await from.post('/connections', { userId: to.id });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id as string;
  };
  const connect = async (one: Person, ...others: Person[]): Promise<void> => {
    for (const other of others) await other.put(`/connections/${await ask(one, other)}/accept`);
  };
  const suggested = async (to: Person, query = ''): Promise<Json[]> => {
    const { status, body } = await to.get(`/connections/suggestions${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.data;
  };
  const told = (suggestions: Json[]): [string, number, string][] =>
    suggestions.map(({ user, mutualConnections, reason }) => [user.name, mutualConnections, reason]);
  const names = async (to: Person): Promise<string[]> => (await suggested(to)).map(({ user }) => user.name);

  it('are those with the most in common, each with the reason', async () => {
    const ego = await person('Ego', {
      campus: 'Irbid',
      department: 'كلية الهندسة',
      graduationYear: 2024,
      skills: ['Go', 'SQL', 'Rust'],
      experience: [{ company: 'Acme Labs', position: 'X', startDate: '2024-09' }],
    });
    const [adam, beth, carl] = [await person('Adam'), await person('Beth'), await person('Carl')];
    await connect(ego, adam, beth, carl);
    const known = await person('Known to three');
    await connect(known, adam, beth, carl);
    const colleague = await person('Known to one and colleague', {
      experience: [{ company: 'ACME labs', position: 'Y', startDate: '2020-01', endDate: '2021-01' }],
    });
    await connect(beth, colleague);
    await person('Colleague', { experience: [{ company: 'acme  labs', position: 'Z', startDate: '2019-05' }] });
    await person('Cohort', { campus: 'irbid', graduationYear: 2024 });
    await person('Year only', { campus: 'Amman', graduationYear: 2024 });
    await person('Department', { department: 'كليه الهندسه' });
    await person('Skilled', { skills: ['sql'] });
    await person('Stranger', { campus: 'Amman', department: 'Law', skills: ['Latin'] });
    // The friends of friends' friends are nobody's acquaintances here.
    await connect(known, await person('Far away'));

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
    const ego = await person('Ego', shared);
    const friend = await person('Friend', shared);
    await connect(ego, friend);
    const others = {
      asked: await person('Asked', shared),
      asking: await person('Asking', shared),
      refused: await person('Refused', shared),
      dismissed: await person('Dismissed', shared),
      blocked: await person('Blocked', shared),
      blocking: await person('Blocking', shared),
      gone: await person('Gone', shared),
      open: await person('Open', shared),
    };
    for (const other of Object.values(others)) await connect(friend, other);
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
    const shared = { department: 'Physics', skills: ['Go'] };
    const ego = await person('Ego', shared);
    const friend = await person('Friend');
    const known = await person('Reserved and known', shared);
    await connect(friend, ego, known);
    const reserved = await person('Reserved', shared);
    for (const one of [known, reserved]) await one.patch('/settings/privacy', { viewProfile: 'connections' });
    expect(told(await suggested(ego))).to.deep.equal([['Reserved and known', 1, 'MUTUAL_CONNECTIONS']]);
    await friend.post(`/users/${known.id}/block`);
    await until(
      () => campus.db.collection('connections').countDocuments({ status: 'accepted' }),
      (count) => count === 1,
    );
    expect(await suggested(ego)).to.deep.equal([]);
    await reserved.patch('/settings/privacy', { viewProfile: 'everyone' });
    expect(told(await suggested(ego))).to.deep.equal([['Reserved', 0, 'SAME_DEPARTMENT']]);
  }).timeout(30_000);

  it('are none for who is new, thirty an hour, and only for who is signed in', async () => {
    const newcomer = await api.register();
    expect(await suggested(newcomer)).to.deep.equal([]);
    for (const limit of ['0', '51', 'x']) {
      expectInvalid(await newcomer.get(`/connections/suggestions?limit=${limit}`), 'query.limit');
    }
    const others = await Promise.all(Array.from({ length: 30 }, () => newcomer.get('/connections/suggestions')));
    expect(others.filter(({ status }) => status === 429).length).to.be.at.least(1);
    expectProblem(await api.request('GET', '/connections/suggestions'), 401, 'UNAUTHORIZED');

    expectProblem(await newcomer.post(`/connections/suggestions/${NOBODY}/dismiss`), 404, 'USER_NOT_FOUND');
    expectInvalid(await newcomer.post('/connections/suggestions/x/dismiss'), 'params.userId');
    expectProblem(await api.request('POST', `/connections/suggestions/${NOBODY}/dismiss`), 401, 'UNAUTHORIZED');
    const other = await api.register();
    const twenty = Array.from({ length: 20 }, () => newcomer.post(`/connections/suggestions/${other.id}/dismiss`));
    expect(new Set((await Promise.all(twenty)).map(({ status }) => status))).to.deep.equal(new Set([204]));
    expect(await campus.db.collection('suggestionDismissals').countDocuments()).to.equal(1);
  });

  it('are found by a bounded look at indexes, however many users and connections there are', async () => {
    const profile = { campus: 'Irbid', department: 'Law', graduationYear: 2024, skills: ['Go'] };
    const ego = await person('Ego', profile);
    await person('Peer', profile);
    // Ids in this order, so that all ties of the 300 are on the same side.
    const egoId = new ObjectId(ego.id);
    const friends = Array.from({ length: 300 }, () => new ObjectId());
    const strangers = Array.from({ length: 80 }, () => new ObjectId());
    const tie = (low: ObjectId, high: ObjectId) => {
      const now = new Date();
      return { low, high, requesterId: low, status: 'accepted', createdAt: now, changedAt: now };
    };
    await campus.db
      .collection('connections')
      .insertMany([
        ...friends.map((friend) => tie(egoId, friend)),
        ...friends.flatMap((friend) => strangers.map((stranger) => tie(friend, stranger))),
      ]);

    await campus.db.command({ profile: 2 });
    expect(await names(ego)).to.deep.equal(['Peer']);
    await campus.db.command({ profile: 0 });
    const read = await campus.db
      .collection('system.profile')
      .find({ ns: /\.(connections|users|suggestionDismissals|privacySettings)$/, planSummary: { $exists: true } })
      .toArray();
    expect(read.length).to.be.at.least(8);
    for (const { planSummary, command, keysExamined = 0, docsExamined = 0 } of read) {
      const what = JSON.stringify(command).slice(0, 300);
      expect(planSummary, what).to.match(/^(IXSCAN|IDHACK|EXPRESS|EOF)/);
      expect(keysExamined, what).to.be.below(11_000);
      expect(docsExamined, what).to.be.below(300);
    }
  }).timeout(30_000);
});
