/** The floor's second process: hears of an event through a change stream and writes one row in answer. */
import { MongoClient, ObjectId } from 'mongodb';
import { databaseUri, FLOOR, type FloorEvent, MAJORITY } from './floor-collections.js';

const client = await MongoClient.connect(databaseUri(), MAJORITY);
const db = client.db();
const notes = db.collection<FloorEvent>(FLOOR.notes);
const stream = db.collection<FloorEvent>(FLOOR.events).watch([{ $match: { operationType: 'insert' } }]);
await stream.tryNext();
process.send?.('ready');
for await (const change of stream) {
  if (change.operationType !== 'insert') continue;
  notes.insertOne({ ...change.fullDocument, _id: new ObjectId() }).catch((error: unknown) => {
    throw error;
  });
}
