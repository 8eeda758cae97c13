import { type Document, type ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Migration } from '../../core/database/migrations.js';
import { type Circle, circleCollection, pack } from './circle.model.js';
import { connectionCollection } from './connection.model.js';

const BATCH = 1_000;

/** Connections made before there were circles are put together by user. */
const circlesOfUsers: Migration = {
  id: '0003-circles-of-users',
  async up(database) {
    let batch: ObjectId[] = [];
    const flush = async (): Promise<void> => {
      await drawCircles(database, batch);
      batch = [];
    };
    for await (const { _id } of database.collection('users').find({}, { projection: { _id: 1 }, sort: { _id: 1 } })) {
      batch.push(_id);
      if (batch.length === BATCH) await flush();
    }
    await flush();
  },
};

/** Each is written whole, so that a second run, after one that was killed, writes the same. */
async function drawCircles(database: Database, users: ObjectId[]): Promise<void> {
  const { name } = connectionCollection;
  // From the keys of the index of that side alone.
  const from = (one: 'low' | 'high', other: 'low' | 'high'): Document[] => [
    { $match: { [one]: { $in: users }, status: 'accepted' } },
    { $project: { _id: 0, changedAt: 1, user: `$${one}`, other: `$${other}` } },
  ];
  const grouped = await database
    .collection(name)
    .aggregate<{ _id: ObjectId; others: ObjectId[] }>([
      ...from('low', 'high'),
      { $unionWith: { coll: name, pipeline: from('high', 'low') } },
      { $sort: { changedAt: 1 } },
      { $group: { _id: '$user', others: { $push: '$other' } } },
    ])
    .toArray();
  const writes = grouped.map(({ _id, others }) => {
    const replacement = pack(others.map((id) => id.toHexString()));
    return { replaceOne: { filter: { _id }, replacement, upsert: true } };
  });
  if (writes.length > 0) await database.collection<Circle>(circleCollection.name).bulkWrite(writes, { ordered: false });
}

export const networkMigrations = [circlesOfUsers];
