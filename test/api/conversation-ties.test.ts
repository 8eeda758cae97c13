import { expect } from 'chai';
import { type Listener } from '../../src/core/events/listener.js';
import { messageSent } from '../../src/modules/chat/index.js';
import { userBlocked } from '../../src/modules/privacy/index.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { converse, followed, say, send, sociable } from '../support/chat.js';
import { until } from '../support/until.js';
import { expectProblem } from './helpers.js';

describe('Conversations of people who part', () => {
  let campus: Campus;
  let api: Api;
  beforeEach(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  afterEach(() => campus.close());

  const several = (count: number): Promise<Person[]> =>
    Promise.all(Array.from({ length: count }, async () => sociable(await api.register())));
  const open = (person: Person, other: Person) => person.post('/conversations', { userIds: [other.id] });
  const block = (person: Person, other: Person) => person.post(`/users/${other.id}/block`);
  const listed = async (person: Person): Promise<Json[]> => (await person.get('/conversations')).body.data;
  const memberIds = async (person: Person, id: string): Promise<string[]> =>
    (await person.get(`/conversations/${id}/members`)).body.data.map(({ userId }: Json) => userId as string);

  it('are not opened, for neither, whether they have one or not, and from the very moment of the block', async () => {
    const [sara, omar, lina] = (await several(3)) as [Person, Person, Person];
    await converse(sara, [omar]);
    for (const other of [omar, lina]) {
      await block(sara, other);
      for (const [one, another] of [
        [sara, other],
        [other, sara],
      ] as const) {
        expectProblem(await open(one, another), 400, 'UNKNOWN_USERS');
        const group = { userIds: [another.id], title: 'Us' };
        expectProblem(await one.post('/conversations', group), 400, 'UNKNOWN_USERS');
      }
    }
  });

  it('take nobody into a group whom a block parts from who adds them, not even whom it has already', async () => {
    const [sara, omar, lina] = (await several(3)) as [Person, Person, Person];
    const group = await converse(sara, [omar, lina], 'Three');
    await sara.patch(`/conversations/${group}/members/${omar.id}`, { role: 'admin' });
    const stranger = await api.register();
    for (const other of [lina, stranger]) {
      await block(omar, other);
      const added = await omar.post(`/conversations/${group}/members`, { userIds: [other.id] });
      expectProblem(added, 400, 'UNKNOWN_USERS');
    }
  });

  it('stay as they are when blocks and connections of before are handled a second time', async () => {
    const [sara, omar, lina, amal] = (await several(4)) as [Person, Person, Person, Person];
    const direct = await converse(sara, [omar]);
    const group = await converse(sara, [omar, lina], 'Club');
    await say(sara, direct, 'Before');
    await block(sara, omar);
    await sara.delete(`/users/${omar.id}/block`);
    // What comes after the block is not undone by it, not even where that is handled only now.
    expect(await converse(sara, [omar])).to.equal(direct);
    await until(
      () => memberIds(sara, group),
      (ids) => !ids.includes(omar.id),
    );
    expect((await sara.post(`/conversations/${group}/members`, { userIds: [omar.id] })).status).to.equal(200);
    const edited = await say(sara, direct, 'Aftr');
    await sara.patch(`/conversations/${direct}/messages/${edited.id as string}`, { body: 'After' });
    // They connect, and are parted for good.
    const { body } = await lina.post('/connections', { userId: amal.id });
    await amal.put(`/connections/${body.id as string}/accept`);
    await until(
      () => listed(amal),
      (found) => found.length === 1,
    );
    await block(amal, lina);
    const standing = async () => ({
      members: await memberIds(sara, group),
      conversations: await Promise.all([sara, omar, lina, amal].map(listed)),
      hidden: await campus.db.collection('memberships').countDocuments({ hiddenAt: { $exists: true } }),
    });
    const before = await until(
      standing,
      ({ conversations: [own], hidden }) =>
        hidden === 2 && own?.find(({ id }) => id === direct)?.lastMessage?.excerpt === 'After',
    );
    expect(before.members).to.include(omar.id);
    await campus.stopNodes();
    await campus.forgetWhatWasHandled();

    const [blocks, messages]: [string[], string[]] = [[], []];
    const witness = (name: string, type: typeof userBlocked | typeof messageSent, seenBy: string[]): Listener => ({
      name,
      types: [type],
      handle(events) {
        seenBy.push(...events.map(({ type: each }) => each));
        return Promise.resolve();
      },
    });
    const again = await campus.startNode({
      listeners: [witness('blocks', userBlocked, blocks)],
      followers: [witness('messages', messageSent, messages)],
    });
    for (const person of [sara, omar, lina, amal]) Object.assign(person, { api: again });
    await until(
      () => Promise.resolve([blocks.length, messages.length] as const),
      ([ended, said]) => ended >= 2 && said >= 2,
    );
    const marker = await again.register();
    await followed(campus, marker, await converse(marker, [await again.register()]));
    expect(await standing()).to.deep.equal(before);
  });

  it('have one owner, however many handovers are tried at the same moment', async () => {
    const [sara, ...others] = (await several(5)) as [Person, ...Person[]];
    const group = await converse(sara, others, 'One owner');
    const answers = await Promise.all(
      others.map(({ id }) => sara.patch(`/conversations/${group}/members/${id}`, { role: 'owner' })),
    );
    expect(answers.filter(({ status }) => status === 204)).to.have.length(1);
    for (const refused of answers.filter(({ status }) => status !== 204)) {
      expectProblem(refused, 403, 'NOT_THE_OWNER');
    }
    const { data } = (await sara.get(`/conversations/${group}/members`)).body;
    expect(data.filter(({ role }: Json) => role === 'owner')).to.have.length(1);
  });

  it('count each member once, though several admins add the same people at the same moment', async () => {
    const [sara, omar, ...others] = (await several(8)) as [Person, Person, ...Person[]];
    const group = await converse(sara, [omar], 'Many');
    await sara.patch(`/conversations/${group}/members/${omar.id}`, { role: 'admin' });
    const userIds = others.map(({ id }) => id);
    const answers = await Promise.all(
      [sara, omar, sara, omar].map((person) => person.post(`/conversations/${group}/members`, { userIds })),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect((await sara.get(`/conversations/${group}`)).body.memberCount).to.equal(8);
    expect(await memberIds(sara, group)).to.have.length(8);
    expect((await send(others[0]!, group, 'Here')).status).to.equal(201);
  });
});
