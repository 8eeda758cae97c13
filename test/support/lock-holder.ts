import { ObjectId } from 'mongodb';
import { connectDatabase } from '../../src/core/database/database.js';

/**
 * A process in the middle of a transaction: it has written to the document `LOCKED_ID` of the collection `LOCKED_IN`, and
 * commits when it is told to stop.
 */
const { MONGODB_URI: uri = '', LOCKED_IN: name = '', LOCKED_ID: id = '' } = process.env;
const database = await connectDatabase(uri);
const session = await database.connection.startSession();
session.startTransaction();
await database.collection(name).updateOne({ _id: new ObjectId(id) }, { $set: { lockHolder: true } }, { session });
process.once('SIGTERM', () => {
  session.commitTransaction().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.stdout.write(`${JSON.stringify({ msg: 'atrium: ready', url: '' })}\n`);
