import { expect } from 'chai';
import { DAY, SECOND } from '../../src/core/clock.js';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { converse, read, say, sociable } from '../support/chat.js';
import { follow, invite, preview, standingAfter } from '../support/invitations.js';
import { allPages, expectInvalid, expectProblem, idsOf, NOBODY } from './helpers.js';

describe('Invitations into a group by link', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  let sara: Person;
  let omar: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    [api, otherNode] = [await campus.startNode(), await campus.startNode()];
    [sara, omar] = await Promise.all([api.register({ name: 'سارة' }), api.register()]);
  });
  after(() => campus.close());

  const newGroup = (title = 'مشروع التخرج'): Promise<string> => converse(sara, [omar], title);
  const newcomers = (count: number): Promise<Person[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => [api, otherNode][index % 2]!.register()));
  const countOf = async (id: string): Promise<number> => (await sara.get(`/conversations/${id}`)).body.memberCount;
  const usesOf = async (id: string): Promise<number[]> =>
    (await sara.get(`/conversations/${id}/invitations`)).body.data.map(({ uses }: Json) => uses as number);
  /** Of these answers that one problem, and how many others there are. */
  const refusals = (answers: Answer<Json>[], status: number, code: string): number => {
    const refused = answers.filter((answer) => answer.status !== 200);
    for (const answer of refused) expectProblem(answer, status, code);
    return refused.length;
  };

  it('say where they lead, and bring those in who follow them, once', async () => {
    const group = await newGroup();
    await say(sara, group, 'Before');
    const { token, ...made } = await invite(sara, group);
    const days = (Date.parse(made.expiresAt as string) - Date.parse(made.createdAt as string)) / DAY;
    expect([days, made.uses, made.needsApproval, made.createdBy.name]).to.deep.equal([7, 0, false, 'سارة']);
    const [lina] = (await newcomers(1)) as [Person];
    const seen = await preview(lina, token as string);
    const { createdBy: invitedBy, needsApproval, expiresAt } = made;
    const told = { conversationId: group, title: 'مشروع التخرج', memberCount: 2, invitedBy, needsApproval, expiresAt };
    // Nothing of who is in it but the one who invites.
    expect(seen.body).to.deep.equal({ ...told, standing: 'none' });
    expectProblem(await lina.get(`/conversations/${group}`), 404, 'CONVERSATION_NOT_FOUND');

    const { position } = (await lina.get('/sync')).body;
    const joined = await follow(lina.on(otherNode), token as string);
    expect(joined.body).to.deep.include({ conversationId: group, standing: 'member' });
    expect(joined.body.conversation).to.deep.include({ id: group, role: 'member', memberCount: 3 });
    expect((await follow(lina, token as string)).body).to.deep.include({ standing: 'member' });
    await say(omar, group, 'After');
    expect((await read(lina, group)).map(({ body }) => body)).to.deep.equal(['After']);
    expect(idsOf((await lina.get(`/sync?since=${position}`)).body.conversations)).to.deep.equal([group]);
    expect((await preview(lina, token as string)).body).to.include({ standing: 'member', memberCount: 3 });
    expect(await usesOf(group)).to.deep.equal([1]);
  });

  it('keep their secret: it is said once, and neither listed nor stored', async () => {
    const group = await newGroup();
    const { token, ...made } = await invite(sara, group, { maxUses: 5 });
    const { body } = await sara.get(`/conversations/${group}/invitations`);
    expect(body.data).to.deep.equal([made]);
    for (const name of ['conversationInvitations', 'events']) {
      const stored = JSON.stringify(await campus.db.collection(name).find().toArray());
      expect(stored).to.include(made.id).and.not.to.include(token);
    }
  });

  it('are made, listed and revoked by the owner and the admins alone', async () => {
    const group = await newGroup();
    const [stranger] = (await newcomers(1)) as [Person];
    const path = `/conversations/${group}/invitations`;
    const { id } = await invite(sara, group);
    for (const [person, status, code] of [
      [omar, 403, 'NOT_AN_ADMIN'],
      [stranger, 404, 'CONVERSATION_NOT_FOUND'],
    ] as const) {
      expectProblem(await person.post(path, {}), status, code);
      expectProblem(await person.get(path), status, code);
      expectProblem(await person.delete(`${path}/${id as string}`), status, code);
    }
    await sara.patch(`/conversations/${group}/members/${omar.id}`, { role: 'admin' });
    const made = [id as string, (await invite(omar, group)).id as string, (await invite(omar, group)).id as string];
    expect(idsOf(await allPages(sara, path, { limit: 2 }))).to.deep.equal([...made].reverse());
    const direct = await converse(sara, [omar]);
    expectProblem(await sara.post(`/conversations/${direct}/invitations`, {}), 403, 'NOT_A_GROUP');
  });

  it('lead nowhere once they are revoked, on any node', async () => {
    const group = await newGroup();
    const [lina] = (await newcomers(1)) as [Person];
    const { id, token } = await invite(sara, group);
    const path = `/conversations/${group}/invitations/${id as string}`;
    const elsewhere = await newGroup('Another');
    const wrong = `/conversations/${elsewhere}/invitations/${id as string}`;
    expectProblem(await sara.delete(wrong), 404, 'INVITATION_NOT_FOUND');
    expectProblem(await sara.delete(path.replace(id as string, NOBODY)), 404, 'INVITATION_NOT_FOUND');
    const answers = await Promise.all([sara.delete(path), sara.on(otherNode).delete(path)]);
    expect(answers.map(({ status }) => status)).to.deep.equal([204, 204]);
    for (const node of [api, otherNode]) {
      expectProblem(await preview(lina.on(node), token as string), 410, 'INVITATION_REVOKED');
      expectProblem(await follow(lina.on(node), token as string), 410, 'INVITATION_REVOKED');
    }
    const { body } = await sara.get(`/conversations/${group}/invitations`);
    expect(body.data[0]).to.have.property('revokedAt');
    const told = { type: 'conversation.invitation-revoked', 'data.invitationId': id as string };
    expect(await campus.db.collection('events').countDocuments(told)).to.equal(1);
  });

  it('count those and no others who came before they were revoked', async () => {
    const group = await newGroup();
    const { id, token } = await invite(sara, group);
    const people = await newcomers(4);
    const [revoked, ...answers] = await Promise.all([
      sara.on(otherNode).delete(`/conversations/${group}/invitations/${id as string}`),
      ...people.map((person) => follow(person, token as string)),
    ]);
    expect(revoked.status).to.equal(204);
    const late = refusals(answers, 410, 'INVITATION_REVOKED');
    expect([await countOf(group), await usesOf(group)]).to.deep.equal([6 - late, [4 - late]]);
    const seen = await Promise.all(people.map((person) => person.get(`/conversations/${group}`)));
    expect(seen.map(({ status }) => status)).to.deep.equal(answers.map(({ status }) => (status === 200 ? 200 : 404)));
  });

  it('are nothing where they are made up', async () => {
    expectProblem(await preview(sara, 'a'.repeat(43)), 404, 'INVITATION_NOT_FOUND');
    expectProblem(await follow(sara, 'a'.repeat(43)), 404, 'INVITATION_NOT_FOUND');
    expectInvalid(await follow(sara, 'short'), 'params.token');
    expectProblem(await api.request('GET', `/invitations/${'a'.repeat(43)}`), 401, 'UNAUTHORIZED');
  });

  it('are made once for one idempotency key, and the same is told again', async () => {
    const group = await newGroup();
    const key = { headers: { 'idempotency-key': 'one-invitation' } };
    const make = () => sara.post(`/conversations/${group}/invitations`, { maxUses: 2 }, key);
    const [first, second] = await Promise.all([make(), make()]);
    expect([first.status, second.status]).to.deep.equal([201, 201]);
    expect(first.body).to.deep.equal(second.body);
    expect(await usesOf(group)).to.deep.equal([0]);
  });

  it('let in as many as they may, however many come at once over two nodes', async () => {
    const group = await newGroup();
    const { token } = await invite(sara, group, { maxUses: 3 });
    const people = await newcomers(5);
    // Each of them twice.
    const answers = await Promise.all(
      people.map((person) => Promise.all([follow(person.on(api), token), follow(person.on(otherNode), token)])),
    );
    const isIn = (both: Answer<Json>[]): boolean => both.every(({ status }) => status === 200);
    expect(answers.filter(isIn)).to.have.length(3);
    expect(refusals(answers.flat(), 410, 'INVITATION_USED_UP')).to.equal(4);
    expect([await countOf(group), await usesOf(group)]).to.deep.equal([5, [3]]);
    const late = people[answers.findIndex((both) => !isIn(both))]!;
    expectProblem(await preview(late, token as string), 410, 'INVITATION_USED_UP');
    // Who is in it is in it.
    expect(await standingAfter(people[answers.findIndex(isIn)]!, token as string)).to.equal('member');
  });

  it('fill a group to a thousand and no further, however many come at once', async () => {
    const group = await newGroup('Crowd by link');
    const { token } = await invite(sara, group);
    await campus.db.collection('conversations').updateOne({ title: 'Crowd by link' }, { $set: { memberCount: 998 } });
    const answers = await Promise.all((await newcomers(4)).map((person) => follow(person, token as string)));
    expect(refusals(answers, 409, 'GROUP_FULL')).to.equal(2);
    expect([await countOf(group), await usesOf(group)]).to.deep.equal([1_000, [2]]);
  });

  it('let nobody in unasked whom an admin has taken out, until an admin has let them in', async () => {
    const group = await newGroup();
    const [lina] = (await newcomers(1)) as [Person];
    await sociable(lina);
    const { token } = await invite(sara, group);
    const path = `/conversations/${group}`;
    expect(await standingAfter(lina, token as string)).to.equal('member');
    // Who leaves by themself comes back by themself.
    await lina.post(`${path}/leave`);
    expect(await standingAfter(lina, token as string)).to.equal('member');
    expect((await sara.delete(`${path}/members/${lina.id}`)).status).to.equal(204);
    const other = await invite(sara, group);
    expect(await standingAfter(lina.on(otherNode), other.token as string)).to.equal('requested');
    expect((await follow(lina, token as string)).body).not.to.have.property('conversation');
    expectProblem(await lina.get(path), 404, 'CONVERSATION_NOT_FOUND');
    expect((await sara.post(`${path}/members`, { userIds: [lina.id] })).status).to.equal(200);
    expect((await sara.get(`${path}/requests`)).body.data).to.deep.equal([]);
    await lina.post(`${path}/leave`);
    expect(await standingAfter(lina, token as string)).to.equal('member');
  });

  it('are not there for whom a block parts from the owner, whoever has blocked whom', async () => {
    const group = await newGroup();
    const [blocked, blocking, apart] = (await newcomers(3)) as [Person, Person, Person];
    await sara.patch(`/conversations/${group}/members/${omar.id}`, { role: 'admin' });
    const { token } = await invite(omar, group);
    await sara.post(`/users/${blocked.id}/block`);
    await blocking.post(`/users/${sara.id}/block`);
    for (const person of [blocked, blocking]) {
      for (const node of [api, otherNode]) {
        expectProblem(await preview(person.on(node), token as string), 404, 'INVITATION_NOT_FOUND');
        expectProblem(await follow(person.on(node), token as string), 404, 'INVITATION_NOT_FOUND');
      }
    }
    // From another member than the owner it keeps only that one’s name.
    await omar.post(`/users/${apart.id}/block`);
    const { body } = await preview(apart, token as string);
    expect([body.invitedBy, body.standing]).to.deep.equal([null, 'none']);
    expect(await standingAfter(apart, token as string)).to.equal('member');
    expect(await countOf(group)).to.equal(3);
  });

  // Last: it moves the clock, and everyone has to sign in again.
  it('end at their time, which is within a year', async () => {
    const group = await newGroup();
    const path = `/conversations/${group}/invitations`;
    const after = (ms: number): string => new Date(campus.clock.now().getTime() + ms).toISOString();
    for (const expiresAt of [after(-SECOND), after(366 * DAY)]) {
      expectProblem(await sara.post(path, { expiresAt }), 400, 'INVALID_EXPIRY');
    }
    expectInvalid(await sara.post(path, { maxUses: 0 }), 'body.maxUses');
    expectInvalid(await sara.post(path, { maxUses: 1_001, expiresAt: 'soon' }), 'body.maxUses', 'body.expiresAt');
    const { token } = await invite(sara, group, { expiresAt: after(2 * DAY) });
    const [early, late] = (await newcomers(2)) as [Person, Person];
    campus.clock.advance(2 * DAY - SECOND);
    const inTime = await api.signIn(early.email, early.password);
    expect(await standingAfter(inTime, token as string)).to.equal('member');
    campus.clock.advance(SECOND);
    const tooLate = await api.signIn(late.email, late.password);
    expectProblem(await preview(tooLate, token as string), 410, 'INVITATION_EXPIRED');
    expectProblem(await follow(tooLate, token as string), 410, 'INVITATION_EXPIRED');
  });
});
