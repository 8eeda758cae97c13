import { expect } from 'chai';
import { DAY, HOUR } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { clientId, converse, read, say, send, sociable } from '../support/chat.js';
import { expectInvalid, expectProblem } from './helpers.js';

describe('Messages', () => {
  let campus: Campus;
  let api: Api;
  let sara: Person;
  let omar: Person;
  let stranger: Person;
  let id: string;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    [sara, omar, stranger] = await Promise.all([api.register({ name: 'سارة' }), api.register(), api.register()]);
    id = await converse(sara, [omar]);
  });
  after(() => campus.close());

  const path = (message: Json): string => `/conversations/${message.conversationId}/messages/${message.id}`;
  /** A conversation of its own, with a few messages. */
  const story = async (...bodies: string[]): Promise<{ group: string; told: Json[] }> => {
    const group = await converse(sara, [omar], 'A story');
    const told: Json[] = [];
    for (const body of bodies) told.push(await say(sara, group, body));
    return { group, told };
  };

  it('are sent and read in their order, in any script, by both and by nobody else', async () => {
    const sent = [await say(sara, id, 'مرحبًا يا عمر 👋'), await say(omar, id, 'Hello')];
    expect(sent[0]).to.deep.include({ conversationId: id, seq: 1, senderId: sara.id, body: 'مرحبًا يا عمر 👋' });
    expect(sent[0]).to.deep.include({ mentions: [], reactions: [] });
    expect(sent[1]).to.include({ seq: 2, senderId: omar.id });
    for (const person of [sara, omar]) expect(await read(person, id)).to.deep.equal(sent);
    expectProblem(await stranger.get(`/conversations/${id}/messages`), 404, 'CONVERSATION_NOT_FOUND');
    expectProblem(await send(stranger, id, 'Let me in'), 404, 'CONVERSATION_NOT_FOUND');
  });

  it('are read a page at a time, from either end', async () => {
    const { group, told } = await story('1', '2', '3', '4', '5');
    const page = async (query: string): Promise<[Json[], boolean]> => {
      const { body } = await omar.get(`/conversations/${group}/messages?${query}`);
      return [body.data.map(({ seq }: Json) => seq), body.hasMore];
    };
    expect(await page('limit=2')).to.deep.equal([[4, 5], true]);
    expect(await page('limit=2&before=4')).to.deep.equal([[2, 3], true]);
    expect(await page('limit=2&before=2')).to.deep.equal([[1], false]);
    expect(await page('limit=2&after=0')).to.deep.equal([[1, 2], true]);
    expect(await page('limit=2&after=3')).to.deep.equal([[4, 5], false]);
    expect(await page('limit=2&after=5')).to.deep.equal([[], false]);
    expect(await page('after=1&before=4')).to.deep.equal([[2, 3], false]);
    expect(told).to.have.length(5);
    expectInvalid(await omar.get(`/conversations/${group}/messages?limit=101`), 'query.limit');
  });

  it('sent again with the same clientId are the same, and not those of another conversation', async () => {
    const { group } = await story();
    const again = { clientId: clientId() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => say(sara, group, 'Once', again)));
    for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
    expect(await read(omar, group)).to.deep.equal([answers[0]]);
    expectProblem(await send(sara, id, 'Twice', again), 409, 'CLIENT_ID_REUSED');
    // What one client makes up is no other's business.
    expect(await say(omar, group, 'Mine', again)).to.include({ seq: 2, senderId: omar.id });
  });

  it('may answer others of the conversation and name its members', async () => {
    const { group } = await story('First');
    const reply = await say(omar, group, 'Answer', { replyTo: 1, mentions: [sara.id] });
    expect(reply).to.deep.include({ replyTo: 1, mentions: [sara.id] });
    expectProblem(await send(omar, group, 'x', { replyTo: 9 }), 400, 'UNKNOWN_REPLY');
    expectProblem(await send(omar, group, 'x', { mentions: [stranger.id] }), 400, 'UNKNOWN_MENTION');
  });

  it('name others since they were edited, who must be members whom their author may know, and keep them else', async () => {
    const { group, told } = await story('First');
    const [message] = told;
    const edit = (more: object, by = sara) => by.patch(path(message), { body: 'Edited', ...more });
    expect((await edit({ mentions: [omar.id] })).body.mentions).to.deep.equal([omar.id]);
    expect((await edit({})).body.mentions).to.deep.equal([omar.id]);
    const blocked = await sociable(await api.register());
    await sara.post(`/conversations/${group}/members`, { userIds: [blocked.id] });
    expect((await edit({ mentions: [omar.id, blocked.id] })).body.mentions).to.deep.equal([omar.id, blocked.id]);
    // Who has left may stay named, and is not named again.
    await sara.delete(`/conversations/${group}/members/${blocked.id}`);
    expect((await edit({ mentions: [blocked.id] })).body.mentions).to.deep.equal([blocked.id]);
    expect((await edit({ mentions: [] })).body.mentions).to.deep.equal([]);
    expectProblem(await edit({ mentions: [blocked.id] }), 400, 'UNKNOWN_MENTION');
    expectProblem(await edit({ mentions: [stranger.id] }), 400, 'UNKNOWN_MENTION');
    expectProblem(await edit({ mentions: [omar.id] }, omar), 403, 'NOT_YOUR_MESSAGE');
    expectProblem(await edit({ mentions: [omar.id] }, stranger), 404, 'MESSAGE_NOT_FOUND');
    expectInvalid(await edit({ mentions: ['x'] }), 'body.mentions.0');
    expectInvalid(await edit({ mentions: [omar.id, omar.id] }), 'body.mentions.1');
    const owner = await api.register();
    const shared = await converse(owner, [sara, blocked], 'Shared');
    const ofSara = await say(sara, shared, 'Mine');
    await sara.post(`/users/${blocked.id}/block`);
    expectProblem(await sara.patch(path(ofSara), { body: 'x', mentions: [blocked.id] }), 400, 'UNKNOWN_MENTION');
    const socket = await sara.connect('/messages');
    const asked = { conversationId: group, messageId: message.id as string, body: 'By socket' };
    const { message: edited } = await socket.ask('message:edit', { ...asked, mentions: [omar.id] });
    expect(edited).to.deep.include({ body: 'By socket', mentions: [omar.id] });
    const { error } = await socket.ask('message:edit', { ...asked, mentions: [stranger.id] });
    expect(error.code).to.equal('UNKNOWN_MENTION');
    sara.disconnect();
  });

  it('have a text of at most 5,000 characters', async () => {
    const { group } = await story();
    expect(await say(sara, group, '🎓'.repeat(5_000))).to.include({ seq: 1 });
    for (const body of ['', '   ', 'x'.repeat(5_001), null]) {
      const answer = await sara.post(`/conversations/${group}/messages`, { clientId: clientId(), body });
      expectInvalid(answer, 'body.body');
    }
    expectInvalid(await sara.post(`/conversations/${group}/messages`, { body: 'x' }), 'body.clientId');
    expect(await read(sara, group)).to.have.length(1);
  });

  it('are edited by whoever sent them, for a day; what they said before is kept', async () => {
    const { told } = await story('Frist', 'Second');
    const [message] = told;
    const { status, body } = await sara.patch(path(message), { body: 'First' });
    expect(status).to.equal(200);
    expect(body).to.deep.include({ ...message, body: 'First' });
    expect(new Date(body.editedAt).getTime()).to.be.closeTo(campus.clock.now().getTime(), 60_000);
    expect((await read(omar, message.conversationId))[0]).to.deep.equal(body);
    const kept = await campus.db.collection('messageEdits').find({ body: 'Frist' }).toArray();
    expect(kept.map(({ messageId }) => String(messageId))).to.deep.equal([message.id]);

    expectProblem(await omar.patch(path(message), { body: 'x' }), 403, 'NOT_YOUR_MESSAGE');
    expectProblem(await stranger.patch(path(message), { body: 'x' }), 404, 'MESSAGE_NOT_FOUND');
    const elsewhere = { ...message, conversationId: id };
    expectProblem(await sara.patch(path(elsewhere), { body: 'x' }), 404, 'MESSAGE_NOT_FOUND');
    campus.clock.advance(DAY - HOUR);
    const again = await api.signIn(sara.email, sara.password);
    expect((await again.patch(path(told[1]), { body: 'Still' })).status).to.equal(200);
    campus.clock.advance(HOUR);
    const late = await api.signIn(sara.email, sara.password);
    expectProblem(await late.patch(path(told[1]), { body: 'Too late' }), 409, 'EDIT_TOO_LATE');
    const signIn = ({ email, password }: Person): Promise<Person> => api.signIn(email, password);
    [sara, omar, stranger] = await Promise.all([signIn(sara), signIn(omar), signIn(stranger)]);
  });

  it('are deleted for everyone by whoever sent them: the place stays, empty, and twice is once', async () => {
    const { group, told } = await story('Secret', 'After');
    const [message, after] = told;
    await omar.post(`${path(message)}/reactions`, { emoji: '👍' });
    expectProblem(await omar.delete(path(message)), 403, 'NOT_YOUR_MESSAGE');
    for (let turn = 0; turn < 2; turn += 1) expect((await sara.delete(path(message))).status).to.equal(204);
    const [gone, left] = await read(omar, group);
    expect(gone).to.include({ id: message.id, seq: 1, body: '' });
    expect(gone).to.deep.include({ reactions: [] });
    expect(gone.deletedAt).to.be.a('string');
    expect(left).to.deep.equal(after);
    expectProblem(await sara.patch(path(message), { body: 'x' }), 409, 'MESSAGE_DELETED');
    expectProblem(await omar.post(`${path(message)}/reactions`, { emoji: '👍' }), 409, 'MESSAGE_DELETED');
    expect(await campus.db.collection('messageEdits').countDocuments({ body: 'Secret' })).to.equal(1);
  });

  it('are deleted for oneself by anyone who sees them, and stay for the others', async () => {
    const { group, told } = await story('One', 'Two');
    for (let turn = 0; turn < 2; turn += 1) {
      const { status } = await omar.delete(`${path(told[0])}?for=me`);
      expect(status).to.equal(turn === 0 ? 204 : 404);
    }
    expect(await read(omar, group)).to.deep.equal([told[1]]);
    expect(await read(sara, group)).to.deep.equal(told);
    expectProblem(await omar.post(`${path(told[0])}/reactions`, { emoji: '👍' }), 404, 'MESSAGE_NOT_FOUND');
  });

  it('have one reaction of each member, however many come at once', async () => {
    const { group, told } = await story('Good news');
    const [message] = told;
    const emojis = ['👍', '❤️', '😂', '🇪🇬', '👩🏽‍🎓'];
    await Promise.all(emojis.map((emoji) => omar.post(`${path(message)}/reactions`, { emoji })));
    await sara.post(`${path(message)}/reactions`, { emoji: '🎉' });
    const [{ reactions }] = await read(sara, group);
    expect(reactions).to.have.length(2);
    expect(emojis).to.include(reactions.find(({ userId }: Json) => userId === omar.id).emoji);
    const { body } = await omar.delete(`${path(message)}/reactions`);
    expect(body.reactions).to.deep.equal([{ userId: sara.id, emoji: '🎉' }]);
    for (const emoji of ['', 'ok', '1', '<b>', '👍'.repeat(40)]) {
      expectInvalid(await omar.post(`${path(message)}/reactions`, { emoji }), 'body.emoji');
    }
  });
});
