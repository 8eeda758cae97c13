import { expect } from 'chai';
import { type Document, ObjectId } from 'mongodb';
import { MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { Campus, type Person, SWEPT_OFTEN, WITHOUT_MAIL } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { Profiler, type Ran } from '../support/profiler.js';
import { until } from '../support/until.js';

/** So much more than twice what it found may be looked at: the one that says that there is another page, and the like. */
const A_FEW = 10;

/** What is known to look at more, and why that is left so. */
const EXCEPTIONS = new Set([
  // One document for each node, of which there is a handful.
  'command nodes COLLSCAN',
  // A user's conversations come by what was said last, which stands in the conversations: all of the user's are sorted.
  'query conversations IXSCAN { _id: 1 }',
]);

describe('What users and workers ask of the database again and again', function () {
  this.timeout(60_000);

  let campus: Campus;
  let profiler: Profiler;
  let reader: Person;
  let author: Person;
  /** A post of each, and a conversation of the two. */
  let postId: string;
  let ownId: string;
  let conversationId: string;
  /** What the reader has said there. */
  let own: Json;

  before(async () => {
    campus = await Campus.open({ ...SWEPT_OFTEN, ...WITHOUT_MAIL });
    const api = await campus.startNode();
    [reader, author] = await Promise.all([api.register({ name: 'Reader' }), api.register({ name: 'Author' })]);
    [postId, ownId] = await Promise.all([author.publish(), reader.publish()]);
    conversationId = await converse(reader, [author]);
    await Promise.all([
      reader.post('/push/register', { token: 'token-of-reader', platform: 'ANDROID' }),
      reader.post(`/posts/${postId}/comments`, { content: 'Well said' }),
      reader.post(`/posts/${postId}/react`, { type: 'LIKE' }),
      author.post(`/posts/${ownId}/react`, { type: 'LIKE' }),
      say(author, conversationId, 'Hello'),
    ]);
    own = await say(reader, conversationId, 'Mine');
    await fill();
    profiler = await Profiler.start(campus.db);
  });
  after(async () => {
    await profiler.stop();
    await campus.close();
  });

  /** Writes many more like the one document that fits, each with something of its own. */
  async function more(collection: string, like: Document, count: number, own: (index: number) => Document) {
    const documents = campus.db.collection(collection);
    const template = await until(() => documents.findOne(like));
    const copies = Array.from({ length: count }, (_, index) => ({ ...template, _id: new ObjectId(), ...own(index) }));
    await documents.insertMany(copies, { ordered: false, writeConcern: { w: 1 } });
    return copies.map(({ _id }) => _id);
  }

  /** A campus of a thousand, of whom one has written, heard and said much. */
  async function fill(): Promise<void> {
    const [me, them, post] = [reader.id, author.id, postId].map((id) => new ObjectId(id)) as [
      ObjectId,
      ObjectId,
      ObjectId,
    ];
    const crowd = await more('users', { _id: me }, 1_000, (index) => {
      const name = `Member ${String(index).padStart(4, '0')}`;
      return { name, email: `${index}@campus.test`, keys: { name: name.toLowerCase() } };
    });
    const one = (index: number) => crowd[index % crowd.length]!;
    const inApp = (index: number) => ({ inApp: { status: index % 2 === 0 ? 'unread' : 'read' } });
    const told = { userId: me, type: 'REACTION' };
    const [conversations] = await Promise.all([
      more('conversations', { _id: new ObjectId(conversationId) }, 300, (index) => ({ pair: `${index}` })),
      more('posts', { authorId: them }, 100, () => ({})),
      more('posts', { authorId: them }, 1_000, (index) => ({ authorId: one(index) })),
      more('comments', { postId: post }, 100, (index) => ({ authorId: one(index) })),
      more('reactions', { postId: post }, 100, (index) => ({ userId: one(index) })),
      more('notifications', told, 200, (index) => ({ dedupeKey: `${index}`, line: null, channels: inApp(index) })),
      more('notifications', told, 2_000, (index) => ({
        ...{ userId: one(index), dedupeKey: `${index}`, line: null },
        channels: { ...inApp(index), mobilePush: { status: 'sent', attempts: 1 } },
      })),
      // More than are looked at one by one when they are told.
      more('messages', { conversationId: new ObjectId(conversationId) }, 300, (index) => ({
        ...{ senderId: them, clientId: `${index}`, seq: index + 3 },
      })),
      more('connections', await friend(), 100, (index) => ({ low: me, high: one(index), status: 'accepted' })),
    ]);
    const inOthers = (index: number) => ({ conversationId: conversations[index % conversations.length] });
    await Promise.all([
      more('memberships', { userId: me }, 100, inOthers),
      more('memberships', { userId: me }, 1_500, (index) => ({ ...inOthers(index), userId: one(index) })),
    ]);
  }

  /** The reader and the author are connected; answers with what that is found by. */
  async function friend(): Promise<Document> {
    await reader.post('/connections', { userId: author.id });
    return { requesterId: new ObjectId(reader.id) };
  }

  async function get(path: string): Promise<Json> {
    const { status, body } = await reader.get(path);
    expect(status, path).to.equal(200);
    return body;
  }

  async function twoPages(path: string, parameter = 'limit=20'): Promise<void> {
    const { nextCursor } = await get(`${path}?${parameter}`);
    expect(nextCursor, path).to.be.a('string');
    await get(`${path}?${parameter}&cursor=${nextCursor}`);
  }

  it('is found by an index, with hardly more looked at than found', async () => {
    await twoPages('/notifications');
    await twoPages('/notifications', 'limit=20&unread=true');
    await get('/notifications/unread-count');
    await twoPages(`/users/${author.id}/posts`);
    await get(`/posts/${postId}`);
    await twoPages(`/posts/${postId}/comments`);
    await twoPages(`/posts/${postId}/reactions`);
    await twoPages('/conversations');
    await get(`/conversations/${conversationId}/messages`);
    await get(`/conversations/${conversationId}/messages?before=50`);
    const { position } = await get('/sync');
    await get(`/sync?since=${encodeURIComponent(position)}`);
    await twoPages('/users', 'q=mem&limit=20');
    await twoPages('/users', 'role=student&limit=20');
    await get(`/profiles/${author.id}`);
    await twoPages('/connections');
    await reader.api.signIn(reader.email, reader.password);
    // Who is told, by push as well, and how that is worked on.
    await author.post(`/posts/${ownId}/react`, { type: 'LOVE' });
    await author.post(`/posts/${ownId}/comments`, { content: 'Well said' });
    await campus.edge.fcm.waitFor(({ message }) => message.data?.['type'] === 'COMMENT');
    await say(author, conversationId, 'Again', { mentions: [reader.id] });
    await author.post(`/conversations/${conversationId}/messages/${own.id as string}/reactions`, { emoji: '👍' });
    await campus.edge.fcm.waitFor(({ message }) => message.data?.['type'] === 'REACTION');
    const { data } = await get('/notifications?limit=1');
    await reader.put(`/notifications/${data[0].id}/read`);
    // What is said is told when the time for it has come, and what is due is looked for all the while.
    campus.clock.advance(MINUTE / 2);
    // Who is named is looked for where it was said last: what was said before that may be told, and removed, by itself.
    const named = 'query messages IXSCAN { mentions: 1, conversationId: 1, seq: -1 }';
    const awaited = [
      named,
      'remove messageNews',
      'command notificationBatches',
      'command exports',
      'query announcements',
    ];
    await until(
      async () => (await profiler.ran()).map(({ what, plan }) => `${what} ${plan}`),
      (done) => awaited.every((each) => done.some((one) => one.startsWith(each))),
    );

    const ran = await profiler.ran();
    const costly = ({ what, plan, examined, found }: Ran): boolean =>
      !EXCEPTIONS.has(`${what} ${plan}`) && (plan.includes('COLLSCAN') || examined > 2 * found + A_FEW);
    expect(ran).to.have.length.greaterThan(200);
    expect(ran.filter(costly)).to.deep.equal([]);
  });
});
