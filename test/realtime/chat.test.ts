import { expect } from 'chai';
import { SECOND } from '../../src/core/clock.js';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { clientId, converse, read, say, send, sociable } from '../support/chat.js';
import { until } from '../support/until.js';

describe('A conversation over sockets of two nodes', () => {
  let campus: Campus;
  let nodes: Api[];
  let sara: Person;
  let omar: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode({ env: { ROLE: 'api' } })];
    sara = await nodes[0]!.register({ name: 'سارة' });
    omar = await nodes[1]!.register();
  });
  afterEach(() => {
    for (const person of [sara, omar]) person.disconnect();
  });
  after(() => campus.close());

  const listen = (person: Person): Promise<LiveSocket> => person.connect('/messages');
  const ok = async (asked: Promise<Json>): Promise<Json> => {
    const answer = await asked;
    expect(answer.ok, JSON.stringify(answer)).to.equal(true);
    return answer;
  };
  const problem = async (asked: Promise<Json>): Promise<string> => (await asked).error?.code as string;
  const about = (id: string) => (payload: Json) => payload.conversationId === id;

  it('is heard by every device of both, as it is answered and stored, whoever says it how', async () => {
    const id = await converse(sara, [omar]);
    const hers = [await listen(sara), await listen(sara.on(nodes[1]!))];
    const his = await listen(omar);
    const { message } = await ok(
      hers[0]!.ask('message:send', { conversationId: id, clientId: clientId(), body: 'مرحبًا' }),
    );
    const byRest = await say(omar, id, 'Hello', { replyTo: message.seq });
    for (const socket of [...hers, his]) {
      const heard = await socket.collect('message:new', 2, about(id));
      expect(heard).to.deep.equal([message, byRest]);
    }
    expect(await read(sara, id)).to.deep.equal([message, byRest]);
  });

  it('says what is changed and deleted, and to oneself alone what one has deleted for oneself', async () => {
    const id = await converse(sara, [omar]);
    const [hers, his] = [await listen(sara), await listen(omar)];
    const [one, two, three] = [await say(sara, id, 'Onne'), await say(sara, id, 'Two'), await say(omar, id, 'Three')];
    const of = ({ id: messageId }: Json): object => ({ conversationId: id, messageId });
    const edited = await ok(hers.ask('message:edit', { ...of(one), body: 'One' }));
    expect(await his.next('message:updated', (told) => told.body === 'One')).to.deep.equal(edited.message);
    await ok(his.ask('message:react', { ...of(one), emoji: '🎉' }));
    const reacted = await hers.next('message:updated', ({ reactions }) => reactions.length === 1);
    expect(reacted.reactions).to.deep.equal([{ userId: omar.id, emoji: '🎉' }]);
    await ok(his.ask('message:react', { ...of(one), emoji: null }));
    await hers.next('message:updated', (told) => told.editedAt && told.reactions.length === 0 && told.id === one.id);
    await ok(hers.ask('message:delete', of(two)));
    expect(await his.next('message:deleted')).to.deep.equal({
      ...of(two),
      seq: two.seq,
      forEveryone: true,
    });
    await ok(hers.ask('message:delete', { ...of(three), for: 'me' }));
    const hidden = await hers.next('message:deleted', ({ messageId }) => messageId === three.id);
    expect(hidden.forEveryone).to.equal(false);
    await say(sara, id, 'The end');
    await his.next('message:new', ({ body }) => body === 'The end');
    expect(his.all('message:deleted')).to.have.length(1);
    expect(await problem(his.ask('message:edit', { ...of(one), body: 'x' }))).to.equal('NOT_YOUR_MESSAGE');
  });

  it('tells who has received and read how much, a hundred messages at once, and never less than before', async () => {
    const id = await converse(sara, [omar]);
    const [hers, his] = [await listen(sara), await listen(omar)];
    const said = await Promise.all(Array.from({ length: 100 }, (_, index) => say(sara, id, String(index))));
    const last = Math.max(...said.map(({ seq }) => seq as number));
    const before = await campus.db.collection('events').countDocuments({ type: 'receipts.advanced' });
    await ok(his.ask('message:delivered', { conversationId: id, seq: last }));
    const receipt = { conversationId: id, userId: omar.id };
    const delivered = await hers.next('receipt', (told) => about(id)(told) && told.lastDeliveredSeq === last);
    expect(delivered).to.deep.include(receipt);
    await ok(his.ask('message:read', { conversationId: id, seq: last }));
    const done = { ...receipt, lastReadSeq: last, lastDeliveredSeq: last };
    expect(await hers.next('receipt', ({ lastReadSeq }) => lastReadSeq === last)).to.deep.equal(done);
    for (const seq of [1, last, last + 50]) await ok(his.ask('messageRead', { conversationId: id, seq }));
    expect(await campus.db.collection('events').countDocuments({ type: 'receipts.advanced' })).to.equal(before + 2);
    const members = (await sara.get(`/conversations/${id}/members`)).body.data as Json[];
    expect(members.find(({ userId }) => userId === omar.id)).to.include({ lastReadSeq: last, lastDeliveredSeq: last });
  });

  it('tells of groups that are new, have changed or are not there any more', async () => {
    const his = await listen(omar);
    const id = await converse(sara, [omar], 'New');
    expect(await his.next('conversation:updated', about(id))).to.deep.equal({ conversationId: id, removed: false });
    await sara.patch(`/conversations/${id}`, { title: 'Other' });
    await his.collect('conversation:updated', 2, about(id));
    await sara.delete(`/conversations/${id}/members/${omar.id}`);
    await his.next('conversation:updated', (told) => about(id)(told) && told.removed === true);
    await say(sara, id, 'Among ourselves');
    const other = await converse(sara, [omar]);
    await say(sara, other, 'To you');
    await his.next('message:new', about(other));
    expect(his.all('message:new').filter(about(id))).to.deep.equal([]);
  });

  it('shows who types, on whatever node, until they stop, fall silent or are gone', async () => {
    const id = await converse(sara, [omar]);
    const [hers, his] = [await listen(sara), await listen(omar)];
    const { conversation } = await ok(hers.ask('joinRoom', { conversationId: id }));
    expect(conversation).to.deep.include({ id, type: 'direct' });
    const typing = (count: number): Promise<Json[]> => hers.collect('typing', count, about(id));
    const states = async (count: number): Promise<boolean[]> =>
      (await typing(count)).map((told) => told.typing as boolean);
    await ok(his.ask('typing:start', { conversationId: id }));
    expect(await typing(1)).to.deep.equal([{ conversationId: id, userId: omar.id, typing: true }]);
    await ok(his.ask('typing:stop', { conversationId: id }));
    expect(await states(2)).to.deep.equal([true, false]);
    await ok(his.ask('typing:start', { conversationId: id }));
    await typing(3);
    campus.clock.advance(7 * SECOND);
    expect(await states(4)).to.deep.equal([true, false, true, false]);
    await ok(his.ask('typing:start', { conversationId: id }));
    await typing(5);
    his.socket.disconnect();
    expect((await states(6)).at(-1)).to.equal(false);
    // One does not see oneself type.
    expect(hers.all('typing').filter(({ userId }) => userId === sara.id)).to.deep.equal([]);
  });

  it('lets nobody look on from outside', async () => {
    const [stranger, member] = [await nodes[1]!.register(), await sociable(await nodes[1]!.register())];
    const id = await converse(sara, [omar], 'Closed');
    const outside = await listen(stranger);
    const payload = { conversationId: id };
    for (const event of ['conversation:join', 'typing:start']) {
      expect(await problem(outside.ask(event, payload)), event).to.equal('CONVERSATION_NOT_FOUND');
    }
    for (const event of ['message:read', 'message:delivered']) {
      expect(await problem(outside.ask(event, { ...payload, seq: 1 })), event).to.equal('CONVERSATION_NOT_FOUND');
    }
    const sending = outside.ask('message:send', { ...payload, clientId: clientId(), body: 'x' });
    expect(await problem(sending)).to.equal('CONVERSATION_NOT_FOUND');
    const message = await say(sara, id, 'Secret');
    for (const [event, more] of [
      ['message:edit', { body: 'x' }],
      ['message:delete', {}],
      ['message:react', { emoji: '👍' }],
    ] as const) {
      const asked = outside.ask(event, { ...payload, messageId: message.id, ...more });
      expect(await problem(asked), event).to.equal('CONVERSATION_NOT_FOUND');
    }
    // Who was in it and has the conversation on the screen is out of it at once.
    await sara.post(`/conversations/${id}/members`, { userIds: [member.id] });
    const inside = await listen(member);
    await ok(inside.ask('conversation:join', payload));
    await sara.delete(`/conversations/${id}/members/${member.id}`);
    await inside.next('conversation:updated', (told) => told.removed === true);
    const his = await listen(omar);
    await ok(his.ask('typing:start', payload));
    await say(omar, id, 'Only us');
    await his.next('message:new', ({ body }) => body === 'Only us');
    expect([...inside.all('typing'), ...inside.all('message:new'), ...outside.heard]).to.deep.equal([]);
    for (const person of [stranger, member]) person.disconnect();
  });

  it('is closed for both by a block, and opened anew when there is none', async () => {
    const [one, other] = [await nodes[0]!.register(), await nodes[1]!.register()];
    const id = await converse(one, [other]);
    await say(other, id, 'Before');
    const group = await converse(one, [other, sara], 'Hers');
    const third = await converse(sara, [one, other], 'Of a third');
    const theirs = await listen(other);
    await one.post(`/users/${other.id}/block`);
    for (const person of [one, other]) {
      expect((await person.get(`/conversations/${id}`)).status).to.equal(404);
      expect((await send(person, id, 'x')).body.code).to.equal('CONVERSATION_NOT_FOUND');
      const { body } = await person.get('/conversations');
      expect(body.data.map((each: Json) => each.id)).not.to.include(id);
    }
    // The blocked one is taken out of the groups of the other, and both go on in those of third people.
    await theirs.next('conversation:updated', (told) => told.conversationId === group && told.removed === true);
    await theirs.next('conversation:updated', (told) => told.conversationId === id && told.removed === true);
    await say(one, third, 'You do not hear me');
    await say(sara, third, 'You hear me', { mentions: [other.id] });
    const heard = await theirs.next('message:new', about(third));
    expect(heard.body).to.equal('You hear me');
    const seen = await read(other, third);
    expect(seen.map(({ body }) => body)).to.deep.equal(['You hear me']);
    const members = (await other.get(`/conversations/${third}/members`)).body.data as Json[];
    expect(members.map(({ userId }) => userId)).to.have.members([sara.id, other.id]);

    await one.delete(`/users/${other.id}/block`);
    await until(
      () => one.get('/conversations'),
      ({ body }) => body.data.every((each: Json) => each.id !== id),
    );
    expect((await one.get(`/conversations/${id}`)).status).to.equal(404);
    expect(await converse(other, [one])).to.equal(id);
    expect((await read(one, id)).map(({ body }) => body)).to.deep.equal(['Before']);
    other.disconnect();
  });

  it('refuses what makes no sense in clear words', async () => {
    const socket = await listen(sara);
    const id = await converse(sara, [omar]);
    for (const payload of [{}, { conversationId: id }, { conversationId: id, clientId: 'x', body: 5 }, 'text', null]) {
      expect(await problem(socket.ask('message:send', payload))).to.equal('VALIDATION_FAILED');
    }
    expect(await problem(socket.ask('message:shout', {}))).to.equal('UNKNOWN_EVENT');
  });
});
