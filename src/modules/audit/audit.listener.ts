import { type Collection, type Document, ObjectId } from 'mongodb';
import { DAY, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { sessionEnded, signInFailed } from '../auth/index.js';
import { addressReopened, addressSuppressed, suppressionAdded, suppressionLifted } from '../notifications/index.js';
import { phoneRemoved } from '../phones/index.js';
import { reportClosed } from '../reports/index.js';
import { type AuditOrigin, auditOriginCollection, type AuditRow, auditCollection } from './audit.model.js';
import { AUDITED, isAudited } from './audited.js';

/** How long it is kept from where someone tried an account that there is not. */
const NOBODYS_ORIGIN_MS = 90 * DAY;

/** Records what mattered to someone's security, once each. */
export function auditListener(database: Database): Listener {
  const rows = database.collection<AuditRow>(auditCollection.name);
  const origins = database.collection<AuditOrigin>(auditOriginCollection.name);
  return {
    name: 'audit',
    types: AUDITED,
    async handle(events, session) {
      const found = events.filter((event) => isAudited(event) && !isFutile(event));
      await insertMissing(rows, found.map(rowOf));
      await insertMissing(origins, found.flatMap(originOf));

      /** What is there already stays as it is; rows are never updated. */
      async function insertMissing<T extends Document & { _id: ObjectId }>(
        collection: Collection<T>,
        documents: T[],
      ): Promise<void> {
        if (documents.length === 0) return;
        await collection.bulkWrite(
          documents.map(({ _id, ...fields }) => ({
            updateOne: { filter: { _id } as never, update: { $setOnInsert: fields } as never, upsert: true },
          })),
          { session, ordered: false },
        );
      }
    },
  };
}

/** What is tried at a locked account cannot succeed; it would flood the audit, which has the failures that locked it. */
function isFutile(event: DomainEvent): boolean {
  return isEvent(event, signInFailed) && event.data.reason === 'locked';
}

function rowOf(event: DomainEvent): AuditRow {
  const { _id, type, actorId, entity, data, at, requestId } = event;
  const { userId, changed } = data as { userId?: string; changed?: string[] };
  const reason = reasonOf(event);
  const targetId = userId ?? (isEvent(event, signInFailed) ? undefined : entity.id);
  return {
    _id,
    action: type,
    ...(actorId !== undefined && { actorId: new ObjectId(actorId) }),
    ...(targetId !== undefined && { targetId: new ObjectId(targetId) }),
    entity,
    ...(changed && { changed }),
    ...(reason !== undefined && { reason }),
    at,
    ...(requestId !== undefined && { requestId }),
  };
}

/** A fixed word; what admins write as their reason may say anything of the user. */
function reasonOf(event: DomainEvent): string | undefined {
  if (isEvent(event, sessionEnded) || isEvent(event, signInFailed)) return event.data.reason;
  if (isEvent(event, phoneRemoved)) return event.data.reason;
  for (const kind of [addressSuppressed, addressReopened, suppressionAdded, suppressionLifted]) {
    if (isEvent(event, kind)) return event.data.reason;
  }
  return isEvent(event, reportClosed) ? event.data.outcome : undefined;
}

/** Of whoever did it; where nobody was signed in, it is taken for the one whose account it concerns. */
function originOf(event: DomainEvent): AuditOrigin[] {
  const { origin } = event;
  if (!origin) return [];
  const { _id, actorId, targetId } = rowOf(event);
  const userId = actorId ?? targetId;
  return [{ _id, ...(userId ? { userId } : { expiresAt: later(event.at, NOBODYS_ORIGIN_MS) }), ...origin }];
}
