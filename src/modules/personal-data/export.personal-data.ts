import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type Storage } from '../../core/storage/storage.js';
import { type Export, exportCollection } from './export.model.js';

/** The exports a user asked for. */
export function exportData({ database, storage }: { database: Database; storage: Storage }): PersonalData {
  const exports = database.collection<Export>(exportCollection.name);
  return {
    name: 'exports',
    collections: [exportCollection.name],
    export: (userId) =>
      exportedList('exports', exports.find({ userId: new ObjectId(userId) }), ({ _id, requestedAt, readyAt }) => ({
        id: _id.toHexString(),
        requestedAt,
        ...(readyAt && { readyAt }),
      })),
    async erase(userId) {
      // First: a worker that is making one finds out before it keeps the file.
      await exports.deleteMany({ userId: new ObjectId(userId) });
      await storage.removeAll(`${userId}/exports`);
    },
  };
}
