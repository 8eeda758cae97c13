/**
 * The floor's first process: the least that a durable reaction with a live notification costs with the plain driver.
 * One transaction of an update and two inserts, a hop over the change stream to the relay, its one majority insert,
 * and a hop back. Answers a message `{ perSecond, seconds }` with the milliseconds of each.
 */
import { MongoClient, ObjectId } from 'mongodb';
import { databaseUri, FLOOR, type FloorEvent, MAJORITY } from './floor-collections.js';
import { atRate, until } from './pace.js';

const POSTS = 200;
const PATIENCE_MS = 20_000;

const client = await MongoClient.connect(databaseUri(), { ...MAJORITY, maxPoolSize: 50 });
const db = client.db();
const postIds = Array.from({ length: POSTS }, () => new ObjectId());
await db.collection(FLOOR.posts).insertMany(postIds.map((_id) => ({ _id, reactions: 0 })));

const startedAt = new Map<number, number>();
let took: number[] = [];
let next = 0;

const stream = db.collection<FloorEvent>(FLOOR.notes).watch([{ $match: { operationType: 'insert' } }]);
await stream.tryNext();
const listening = (async () => {
  for await (const change of stream) {
    const at = performance.now();
    if (change.operationType !== 'insert') continue;
    const { operation } = change.fullDocument;
    const begun = startedAt.get(operation);
    if (begun !== undefined && startedAt.delete(operation)) took.push(at - begun);
  }
})();
listening.catch((error: unknown) => {
  throw error;
});

function react(): void {
  const operation = next++;
  const postId = postIds[operation % POSTS] ?? new ObjectId();
  startedAt.set(operation, performance.now());
  client
    .withSession((session) =>
      session.withTransaction(async () => {
        await db.collection(FLOOR.posts).updateOne({ _id: postId }, { $inc: { reactions: 1 } }, { session });
        await db.collection(FLOOR.reactions).insertOne({ postId, userId: new ObjectId(), type: 'LIKE' }, { session });
        const event = { _id: new ObjectId(), operation, authorId: new ObjectId(), text: 'x'.repeat(300) };
        await db.collection<FloorEvent>(FLOOR.events).insertOne(event, { session });
      }),
    )
    .catch((error: unknown) => {
      throw error;
    });
}

process.on('message', ({ perSecond, seconds }: { perSecond: number; seconds: number }) => {
  void (async () => {
    took = [];
    await atRate(perSecond, seconds, react);
    await until(() => startedAt.size === 0, PATIENCE_MS);
    process.send?.({ took, overdue: startedAt.size });
    startedAt.clear();
  })();
});
process.send?.('ready');
