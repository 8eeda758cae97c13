import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type Report, reportCollection } from './report.model.js';

/** What a user has reported. What others said of them is not told, but erased as well; who dealt with it is no more said. */
export function reportData({ database }: { database: Database }): PersonalData {
  const reports = database.collection<Report>(reportCollection.name);
  return {
    name: 'reports',
    collections: [reportCollection.name],
    async *export(userId) {
      const own = reports.find({ reporterId: new ObjectId(userId) });
      yield* exportedList('reports', own, ({ target, category, details, status, createdAt }) => ({
        target: { kind: target.kind, id: target.id.toHexString() },
        category,
        ...(details !== undefined && { details }),
        status,
        createdAt,
      }));
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      await reports.deleteMany({ $or: [{ reporterId: own }, { userId: own }] });
      await reports.updateMany({ handledBy: own }, { $unset: { handledBy: 1 } });
    },
  };
}
