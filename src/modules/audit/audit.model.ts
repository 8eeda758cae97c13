import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type EntityRef } from '../../core/events/event.js';
import { type Origin } from '../../core/observability/request-context.js';

/**
 * Something that mattered to the security of an account. Written once and never changed or deleted: it names ids,
 * fixed words and fields, and nothing else, so that erasing a user need not touch it.
 */
export interface AuditRow {
  /** The event it was recorded from: handling that again writes nothing. */
  _id: ObjectId;
  action: string;
  /** Whoever did it; absent where nobody was signed in. */
  actorId?: ObjectId;
  /** Whose account it concerns; absent where someone tried to sign in to an account that there is not. */
  targetId?: ObjectId;
  /** What it was done to. */
  entity: EntityRef;
  /** Names of fields that changed. */
  changed?: string[];
  /** Why, or with what outcome: one of a few words. */
  reason?: string;
  at: Date;
  requestId?: string;
}

/**
 * From where it was done. It stands apart from the row, because it is erased with the user it tells of, or after a
 * while where nobody knows whom.
 */
export interface AuditOrigin extends Origin {
  /** The audit row. */
  _id: ObjectId;
  userId?: ObjectId;
  /** Only where there is no user. */
  expiresAt?: Date;
}

const newestFirst = { at: -1, _id: -1 } as const;

export const auditCollection: CollectionDefinition = {
  name: 'audit',
  indexes: [
    // GET /audit, newest first: all, or by one of its filters.
    { key: newestFirst },
    { key: { actorId: 1, ...newestFirst } },
    { key: { targetId: 1, ...newestFirst } },
    { key: { action: 1, ...newestFirst } },
  ],
};

export const auditOriginCollection: CollectionDefinition = {
  name: 'auditOrigins',
  indexes: [
    // What is erased with a user, and what their export contains.
    { key: { userId: 1 } },
    // What would be erased with nobody.
    { key: { expiresAt: 1 }, options: { expireAfterSeconds: 0 } },
  ],
};
