/**
 * The floor of requests: the same queries by the driver in a plain HTTP server, which checks nothing and nobody.
 * Answers any message with its address.
 */
import { verify } from '@node-rs/argon2';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Document, MongoClient, ObjectId } from 'mongodb';
import { databaseUri, FLOOR, MAJORITY } from './floor-collections.js';

const client = await MongoClient.connect(databaseUri(), MAJORITY);
const db = client.db();
await db.collection(FLOOR.reactions).createIndexes([{ key: { postId: 1, userId: 1 }, unique: true }]);
const A_PAGE = 21;
/** What a token of a session is checked against. */
const ANY_ID = 'ffffffffffffffffffffffff';

const handlers: Record<string, (id: string, body: Document) => Promise<unknown>> = {
  posts: (authorId) =>
    db
      .collection('posts')
      .find({ authorId: new ObjectId(authorId), deletedAt: null })
      .sort({ _id: -1 })
      .limit(A_PAGE)
      .toArray(),
  notifications: (userId) =>
    db
      .collection('notifications')
      .find({ userId: new ObjectId(userId), 'channels.inApp.status': { $in: ['unread', 'seen', 'read'] } })
      .sort({ _id: -1 })
      .limit(A_PAGE)
      .toArray(),
  react: (postId, { userId, type }) =>
    client.withSession((session) =>
      session.withTransaction(async () => {
        const _id = new ObjectId(postId);
        const reaction = { postId: _id, userId: new ObjectId(String(userId)) };
        const options = { upsert: true, session };
        await db.collection(FLOOR.reactions).findOneAndUpdate(reaction, { $set: { type: String(type) } }, options);
        await db.collection(FLOOR.posts).findOneAndUpdate({ _id }, { $inc: { [String(type)]: 1 } }, options);
        await db.collection(FLOOR.events).insertOne({ postId: _id, type: String(type), at: new Date() }, { session });
      }),
    ),
  async login(_id, { email, password }) {
    const user = await db.collection('users').findOne({ email: String(email) });
    const credential = await db.collection('credentials').findOne({ _id: user?._id ?? new ObjectId(ANY_ID) });
    const fits = await verify(String(credential?.['passwordHash']), String(password));
    await db.collection(FLOOR.notes).insertOne({ userId: user?._id, at: new Date() });
    return { fits };
  },
};

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    const [, name = '', id = ''] = (request.url ?? '').split('/');
    const body = (text === '' ? {} : JSON.parse(text)) as Document;
    const work = handlers[name]?.(id, body) ?? Promise.reject(new Error(`there is no ${name}`));
    work.then(
      (answer) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer ?? {})),
      (error: unknown) => {
        console.error(error);
        response.writeHead(500).end();
      },
    );
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
process.on('message', () => process.send?.(`http://127.0.0.1:${port}`));
process.send?.('ready');
