import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY, MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { converse, read, say, settled, sociable } from '../support/chat.js';
import { until } from '../support/until.js';
import { expectProblem } from './helpers.js';

describe('What a client missed of its conversations', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open();
    api = await campus.startNode();
  });
  after(() => campus.close());

  const sync = async (person: Person, since?: string): Promise<Json> => {
    const { status, body } = await person.get(`/sync${since === undefined ? '' : `?since=${since}`}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  };
  const ids = (list: Json[]): string[] => list.map(({ id }) => id as string);
  /** Longer than what positions overlap by: what was before is not told again. */
  const aWhile = (): void => campus.clock.advance(2 * MINUTE);

  it('is nothing for who begins, and nothing where nothing has happened', async () => {
    const person = await api.register();
    const begun = await sync(person);
    expect(begun).to.deep.include({ hasMore: false, conversations: [], removed: [], messages: [], gone: [] });
    const later = await sync(person, begun.position);
    expect({ ...later, position: '' }).to.deep.equal({ ...begun, position: '' });
  });

  it('is every conversation, message, change and receipt, as they are now, and nothing from before', async () => {
    const [sara, omar, lina] = [await api.register(), await api.register(), await api.register()];
    const old = await converse(sara, [omar]);
    const [early, late] = [await say(omar, old, 'Early'), await say(omar, old, 'Typo')];
    await settled(campus, late);
    aWhile();
    const { position } = await sync(sara);
    const path = `/conversations/${old}/messages`;
    const { body: edited } = await omar.patch(`${path}/${late.id as string}`, { body: 'No typo' });
    const fresh = await say(omar, old, 'مساء الخير');
    const doomed = await say(omar, old, 'Never mind');
    await omar.delete(`${path}/${doomed.id as string}`);
    await sara.delete(`${path}/${early.id as string}?for=me`);
    await omar.put(`/conversations/${old}/read`, { seq: 2 });
    const group = await converse(lina, [sara], 'New here');
    await settled(campus, await say(lina, group, 'Welcome'));

    const missed = await until(
      () => sync(sara, position),
      ({ receipts }) => receipts.some(({ lastReadSeq }: Json) => lastReadSeq === 4),
    );
    expect(ids(missed.conversations)).to.include(group);
    expect(missed.removed).to.deep.equal([]);
    expect(missed.messages.find(({ id }: Json) => id === edited.id)).to.deep.equal(edited);
    expect(missed.messages.find(({ id }: Json) => id === fresh.id)).to.deep.equal(fresh);
    expect(missed.messages.find(({ id }: Json) => id === doomed.id)).to.include({ body: '' });
    expect(missed.gone).to.deep.equal([{ conversationId: old, messageId: early.id, seq: 1 }]);
    expect(ids(missed.messages)).not.to.include(early.id);
    expect(missed.messages).to.have.length(4);
    aWhile();
    expect((await sync(sara, missed.position)).messages).to.have.length(4);
    aWhile();
    const quiet = await sync(sara, (await sync(sara, missed.position)).position);
    expect(quiet).to.deep.include({ messages: [], conversations: [], gone: [], receipts: [] });
  });

  it('is told in pages where it is much, each message once', async () => {
    const [sara, omar] = [await api.register(), await api.register()];
    const { position } = await sync(sara);
    const conversations = [await converse(omar, [sara]), await converse(omar, [sara], 'Two')];
    const sent = Array.from({ length: 24 }, (_, index) => say(omar, conversations[index % 2]!, String(index)));
    const all = ids(await Promise.all(sent));
    const pages: Json[] = [await sync(sara, `${position as string}&limit=10`)];
    while (pages.at(-1).hasMore) pages.push(await sync(sara, `${pages.at(-1).position as string}&limit=10`));
    expect(pages.map(({ messages }) => messages.length)).to.deep.equal([10, 10, 4]);
    expect(pages.flatMap(({ messages }) => ids(messages))).to.have.members(all);
    expect(ids(pages[0].conversations)).to.have.members(conversations);
  });

  it('is of the receipts of others the newest two thousand, whatever groups one is in', async () => {
    const [person, friend] = await Promise.all([api.register(), api.register()]);
    const group = await converse(person, [friend], 'Crowd');
    const { position } = await sync(person);
    const memberships = campus.db.collection('memberships');
    const theirs = await memberships.findOne({ userId: new ObjectId(friend.id) });
    const now = campus.clock.now().getTime();
    const crowd = Array.from({ length: 2_100 }, (_, lastReadSeq) => ({
      ...{ ...theirs, _id: new ObjectId(), userId: new ObjectId() },
      ...{ lastReadSeq, changedAt: new Date(now + lastReadSeq) },
    }));
    await memberships.insertMany(crowd);
    const { receipts } = await sync(person, position);
    expect(receipts).to.have.length(2_000);
    expect(receipts.every(({ conversationId }: Json) => conversationId === group)).to.equal(true);
    const marks = receipts.map(({ lastReadSeq }: Json) => lastReadSeq as number);
    expect([Math.max(...marks), Math.min(...marks)]).to.deep.equal([2_099, 100]);
  });

  it('is that one is no longer in a conversation, and nothing of what was said since', async () => {
    const [owner, member] = [await api.register(), await api.register()];
    const group = await converse(owner, [member], 'Closed');
    await say(owner, group, 'Welcome');
    const { position } = await sync(member);
    await owner.delete(`/conversations/${group}/members/${member.id}`);
    await say(owner, group, 'Among ourselves');
    expect(await sync(member, position)).to.deep.include({ removed: [group], conversations: [], messages: [] });
    // Who comes back sees what is said from then on.
    await owner.post(`/conversations/${group}/members`, { userIds: [(await sociable(member)).id] });
    await say(owner, group, 'Welcome back');
    const back = await sync(member, position);
    expect(ids(back.conversations)).to.deep.equal([group]);
    expect(back.removed).to.deep.equal([]);
    expect(back.messages.map(({ body }: Json) => body)).to.deep.equal(['Welcome back']);
    expect((await read(member, group)).map(({ body }) => body)).to.deep.equal(['Welcome back']);
  });

  it('shows nothing of whom a block stands between', async () => {
    const [sara, omar, lina] = [await api.register(), await api.register(), await api.register()];
    const [direct, group] = [await converse(sara, [omar]), await converse(lina, [sara, omar], 'Three')];
    const { position } = await sync(sara);
    for (const id of [direct, group]) await say(omar, id, 'Hello');
    const said = await say(lina, group, 'Hello all', { mentions: [omar.id] });
    await omar.post(`/conversations/${group}/messages/${said.id as string}/reactions`, { emoji: '👍' });
    await omar.put(`/conversations/${group}/read`, { seq: 2 });
    expect(JSON.stringify(await sync(sara, position))).to.include(omar.id);
    await omar.post(`/users/${sara.id}/block`);
    const missed = await until(
      () => sync(sara, position),
      ({ removed }) => removed.length === 1,
    );
    expect(JSON.stringify(missed)).not.to.include(omar.id);
    expect(missed.removed).to.deep.equal([direct]);
    expect(ids(missed.messages)).to.deep.equal([said.id]);
  });

  it('is too much after thirty days, and nobody’s position but one’s own making is taken', async () => {
    const person = await api.register();
    const { position } = await sync(person);
    const [payload = '', signature = ''] = (position as string).split('.');
    const forged = Buffer.from(JSON.stringify({ since: new Date(0) })).toString('base64url');
    for (const made of ['x', `${forged}.${signature}`, payload, `${payload}.${signature}.x`]) {
      expectProblem(await person.get(`/sync?since=${made}`), 400, 'INVALID_POSITION');
    }
    campus.clock.advance(29 * DAY);
    const again = await api.signIn(person.email, person.password);
    expect((await again.get(`/sync?since=${position as string}`)).status).to.equal(200);
    campus.clock.advance(2 * DAY);
    const late = await api.signIn(person.email, person.password);
    expectProblem(await late.get(`/sync?since=${position as string}`), 410, 'POSITION_TOO_OLD');
  });
});
