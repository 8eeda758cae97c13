import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { DAY, SECOND } from '../../../core/clock.js';
import { type Delivery } from '../delivery.model.js';

/**
 * One mail about all that gathered in a period. The notifications name it; which those are is settled when it is
 * closed, so that a second attempt is about the same ones.
 */
export interface Digest {
  _id: ObjectId;
  userId: ObjectId;
  /** The end of its period. */
  dueAt: Date;
  /** As long as notifications may join it. */
  isOpen?: true;
  /** How many joined it. */
  joined: number;
  delivery: Delivery;
  createdAt: Date;
  /** When nothing was left to be done about it. */
  endedAt?: Date;
}

/** Kept for a while, so that it can be seen what became of it, and that a period has had its mail. */
const KEPT_SECONDS = (35 * DAY) / SECOND;

export const digestCollection: CollectionDefinition = {
  name: 'digests',
  indexes: [
    // The one that is gathering; there is never a second one.
    { key: { userId: 1 }, options: { unique: true, partialFilterExpression: { isOpen: true } } },
    // Those that a user has had.
    { key: { userId: 1, dueAt: -1 } },
    // What is due, the oldest first; holds only what is still to be done.
    {
      key: { 'delivery.nextAttemptAt': 1 },
      options: { partialFilterExpression: { 'delivery.nextAttemptAt': { $exists: true } } },
    },
    { key: { endedAt: 1 }, options: { expireAfterSeconds: KEPT_SECONDS } },
  ],
};
