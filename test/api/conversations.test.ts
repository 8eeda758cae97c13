import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { converse, read, say, send, sociable } from '../support/chat.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem } from './helpers.js';

describe('Conversations', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  let sara: Person;
  let omar: Person;
  let lina: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    otherNode = await campus.startNode({ env: { ROLE: 'api' } });
    [sara, omar, lina] = await Promise.all([api.register(), api.register({ name: 'عمر' }), api.register()]);
  });
  after(() => campus.close());

  const get = async (person: Person, id: string): Promise<Json> => (await person.get(`/conversations/${id}`)).body;
  const listed = async (person: Person): Promise<Json[]> => (await person.get('/conversations')).body.data;
  const membersOf = async (person: Person, id: string): Promise<Json[]> =>
    (await person.get(`/conversations/${id}/members`)).body.data;
  const roles = async (person: Person, id: string): Promise<Record<string, string>> =>
    Object.fromEntries((await membersOf(person, id)).map(({ userId, role }) => [userId, role]));

  it('of two are one, though both open it at once on different nodes, again and again', async () => {
    const [one, other] = await Promise.all([api.register(), otherNode.register()]);
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => [converse(one, [other]), converse(other, [one])]).flat(),
    );
    expect(new Set(opened).size).to.equal(1);
    const { members, ...rest } = await get(one, opened[0]!);
    expect(rest).to.deep.include({ type: 'direct', memberCount: 2, unreadCount: 0, lastMessage: null });
    expect(members.map(({ user }: Json) => user.name)).to.have.members([one.name, other.name]);
    expect(await listed(other)).to.have.length(1);
  });

  it('are opened with people who are there and let one write to them', async () => {
    expectProblem(await sara.post('/conversations', { userIds: [sara.id] }), 400, 'CANNOT_MESSAGE_YOURSELF');
    expectProblem(await sara.post('/conversations', { userIds: ['0'.repeat(24)] }), 400, 'UNKNOWN_USERS');
    expectInvalid(await sara.post('/conversations', { userIds: [] }), 'body.userIds');
    const shy = await api.register();
    await shy.patch('/settings/privacy', { message: 'connections', addToGroup: 'nobody' });
    expectProblem(await sara.post('/conversations', { userIds: [shy.id] }), 403, 'CANNOT_MESSAGE_USER');
    const group = { userIds: [omar.id, shy.id], title: 'Us' };
    expectProblem(await sara.post('/conversations', group), 403, 'CANNOT_ADD_USERS');
    expectProblem(await api.request('POST', '/conversations', group), 401, 'UNAUTHORIZED');
  });

  it('let nobody write who is no longer let', async () => {
    const fickle = await api.register();
    const id = await converse(sara, [fickle]);
    await say(sara, id, 'Hello');
    await fickle.patch('/settings/privacy', { message: 'nobody' });
    expectProblem(await send(sara, id, 'Hello?'), 403, 'CANNOT_MESSAGE_USER');
    expect(await say(fickle, id, 'Not now')).to.include({ seq: 2 });
  });

  it('are listed with the last message and how much is unread, the latest first', async () => {
    const reader = await api.register();
    const [first, second] = [await converse(sara, [reader]), await converse(omar, [reader])];
    await say(sara, first, 'واحد');
    await say(omar, second, 'Two');
    await say(sara, first, 'Three '.repeat(100));
    const all = await until(
      () => listed(reader),
      (found) => found[0]?.lastSeq === 2 && found[1]?.lastSeq === 1,
    );
    expect(all.map(({ id, unreadCount }) => [id, unreadCount])).to.deep.equal([
      [first, 2],
      [second, 1],
    ]);
    expect(all[0].lastMessage).to.include({ senderId: sara.id, seq: 2 });
    expect(all[0].lastMessage.excerpt)
      .to.match(/^Three .*…$/)
      .and.have.length.below(130);
    // Who has said it has read it.
    expect((await get(sara, first)).unreadCount).to.equal(0);

    await reader.put(`/conversations/${first}/read`, { seq: 1 });
    expect(await get(reader, first)).to.include({ unreadCount: 1, lastReadSeq: 1 });
    // Beyond the last place there is nothing to be read yet.
    await reader.put(`/conversations/${first}/read`, { seq: 99 });
    expect(await get(reader, first)).to.include({ unreadCount: 0, lastReadSeq: 2 });
    await reader.put(`/conversations/${first}/read`, { seq: 1 });
    expect(await get(reader, first)).to.include({ lastReadSeq: 2 });

    const { body } = await reader.get('/conversations?limit=1');
    const next = await reader.get(`/conversations?limit=1&cursor=${body.nextCursor}`);
    expect([body.data[0].id, next.body.data[0].id]).to.deep.equal([first, second]);
    expect(next.body.nextCursor).to.equal(null);
    expectProblem(await omar.get(`/conversations?limit=1&cursor=${body.nextCursor}`), 400, 'INVALID_CURSOR');
  });

  it('with several are groups, whose members come and go, and see what is said while they are there', async () => {
    const group = await converse(sara, [omar], 'مشروع التخرج');
    await say(sara, group, 'Before');
    expectProblem(await lina.get(`/conversations/${group}`), 404, 'CONVERSATION_NOT_FOUND');
    await sociable(lina);
    const { status, body } = await sara.post(`/conversations/${group}/members`, { userIds: [lina.id, omar.id] });
    expect(status).to.equal(200);
    expect(body).to.deep.include({ memberCount: 3, title: 'مشروع التخرج', members: [] });
    await say(omar, group, 'After');
    expect((await read(lina.on(otherNode), group)).map((each) => each.body)).to.deep.equal(['After']);
    expect((await get(lina, group)).unreadCount).to.be.at.most(1);

    expect((await sara.delete(`/conversations/${group}/members/${lina.id}`)).status).to.equal(204);
    expectProblem(await send(lina, group, 'Hello?'), 404, 'CONVERSATION_NOT_FOUND');
    expectProblem(await lina.get(`/conversations/${group}/messages`), 404, 'CONVERSATION_NOT_FOUND');
    expect((await listed(lina)).map(({ id }) => id)).not.to.include(group);
    expect((await membersOf(sara, group)).map(({ userId }) => userId)).to.have.members([sara.id, omar.id]);
    expect((await get(sara, group)).memberCount).to.equal(2);
    expectProblem(await sara.delete(`/conversations/${group}/members/${lina.id}`), 404, 'MEMBER_NOT_FOUND');
  });

  it('are led by an owner and admins', async () => {
    const group = await converse(sara, [omar, lina], 'Roles');
    const path = `/conversations/${group}`;
    const newcomer = await sociable(await api.register());
    const add = (person: Person) => person.post(`${path}/members`, { userIds: [newcomer.id] });
    expectProblem(await add(omar), 403, 'NOT_AN_ADMIN');
    expectProblem(await omar.patch(path, { title: 'Mine' }), 403, 'NOT_AN_ADMIN');
    expectProblem(await omar.delete(`${path}/members/${lina.id}`), 403, 'NOT_AN_ADMIN');
    expectProblem(await omar.patch(`${path}/members/${lina.id}`, { role: 'admin' }), 403, 'NOT_THE_OWNER');
    expect((await sara.patch(`${path}/members/${omar.id}`, { role: 'admin' })).status).to.equal(204);
    expect((await add(omar)).status).to.equal(200);
    expect((await omar.patch(path, { title: 'Ours' })).body.title).to.equal('Ours');
    expectProblem(await omar.delete(`${path}/members/${sara.id}`), 403, 'HIGHER_ROLE');
    expect((await omar.delete(`${path}/members/${lina.id}`)).status).to.equal(204);

    expectProblem(await sara.patch(`${path}/members/${sara.id}`, { role: 'member' }), 409, 'OWN_ROLE');
    expect((await sara.patch(`${path}/members/${omar.id}`, { role: 'owner' })).status).to.equal(204);
    expect(await roles(sara, group)).to.deep.equal({ [sara.id]: 'admin', [omar.id]: 'owner', [newcomer.id]: 'member' });
    // An owner who leaves leaves it to an admin.
    expect((await omar.post(`${path}/leave`)).status).to.equal(204);
    expect(await roles(sara, group)).to.deep.equal({ [sara.id]: 'owner', [newcomer.id]: 'member' });
    expectProblem(await omar.post(`${path}/leave`), 404, 'CONVERSATION_NOT_FOUND');
  });

  it('of two have nobody to be added, removed or renamed', async () => {
    const path = `/conversations/${await converse(sara, [omar])}`;
    expectProblem(await sara.post(`${path}/members`, { userIds: [lina.id] }), 403, 'NOT_A_GROUP');
    expectProblem(await sara.patch(path, { title: 'x' }), 403, 'NOT_A_GROUP');
    expectProblem(await sara.post(`${path}/leave`), 403, 'NOT_A_GROUP');
  });

  it('hold a thousand members and not one more, however many are added at once', async () => {
    const group = await converse(sara, [omar], 'Crowd');
    await campus.db.collection('conversations').updateOne({ title: 'Crowd' }, { $set: { memberCount: 998 } });
    const newcomers = await Promise.all(Array.from({ length: 4 }, async () => sociable(await api.register())));
    const answers = await Promise.all(
      newcomers.map(({ id }, index) =>
        sara.on(index % 2 === 0 ? api : otherNode).post(`/conversations/${group}/members`, { userIds: [id] }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 409, 409]);
    expectProblem(
      answers.find(({ status }) => status === 409)!,
      409,
      'GROUP_FULL',
    );
    expect((await get(sara, group)).memberCount).to.equal(1_000);
    expect(await membersOf(sara, group)).to.have.length(4);
  });

  it('are muted until a time', async () => {
    const id = await converse(sara, [omar]);
    const moment = '2031-05-01T10:00:00.000Z';
    expect((await sara.put(`/conversations/${id}/mute`, { until: moment })).body.mutedUntil).to.equal(moment);
    expect(await get(omar, id)).not.to.have.property('mutedUntil');
    expect((await sara.put(`/conversations/${id}/mute`, { until: null })).body).not.to.have.property('mutedUntil');
  });

  it('are there between two who have connected', async () => {
    const [one, other] = await Promise.all([api.register(), api.register()]);
    const { body } = await one.post('/connections', { userId: other.id });
    await other.put(`/connections/${body.id}/accept`);
    const [theirs] = await until(
      () => listed(one),
      (found) => found.length === 1,
    );
    expect(await converse(other, [one])).to.equal(theirs.id);
  });
});
