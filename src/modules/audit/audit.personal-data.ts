import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type AuditOrigin, auditCollection, auditOriginCollection, type AuditRow } from './audit.model.js';

/** What a user did, and from where. The rows stay, since they tell of nobody without the account; the origins go. */
export function auditData({ database }: { database: Database }): PersonalData {
  const rows = database.collection<AuditRow>(auditCollection.name);
  const origins = database.collection<AuditOrigin>(auditOriginCollection.name);
  return {
    name: 'audit',
    collections: [auditOriginCollection.name],
    async *export(userId) {
      const own = new ObjectId(userId);
      const found = await origins.find({ userId: own }).toArray();
      const byRow = new Map(found.map(({ _id, ip, userAgent }) => [_id.toHexString(), { ip, userAgent }]));
      yield* exportedList(
        'security-log',
        rows.find({ actorId: own }).sort({ at: 1 }),
        ({ _id, action, changed, reason, at }) => ({
          action,
          at,
          ...(changed && { changed }),
          ...(reason !== undefined && { reason }),
          ...byRow.get(_id.toHexString()),
        }),
      );
    },
    async erase(userId) {
      await origins.deleteMany({ userId: new ObjectId(userId) });
    },
  };
}
