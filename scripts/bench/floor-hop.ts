/**
 * The floor of a message: one majority insert by the benchmark's process, and one hop over a change stream to this one.
 * Answers `{}` with how long each took that came since the last answer, by the wall clock that both processes share.
 */
import { MongoClient } from 'mongodb';
import { databaseUri, FLOOR, MAJORITY } from './floor-collections.js';
import { wallClock } from './pace.js';

const client = await MongoClient.connect(databaseUri(), MAJORITY);
const stream = client
  .db()
  .collection<{ sentAt: number }>(FLOOR.messages)
  .watch([{ $match: { operationType: 'insert' } }]);
await stream.tryNext();

let took: number[] = [];
process.on('message', () => {
  process.send?.(took);
  took = [];
});
process.send?.('ready');
for await (const change of stream) {
  if (change.operationType === 'insert') took.push(wallClock() - change.fullDocument.sentAt);
}
