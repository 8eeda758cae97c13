import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type Stepwise } from '../../../core/jobs/step-worker.js';
import { type User } from '../../users/index.js';

/** Someone has found a position: kept until everybody is told of it who is to be. */
export interface Placement extends Stepwise {
  /** The event that says so. */
  _id: ObjectId;
  userId: ObjectId;
  placement: NonNullable<User['placement']>;
  /** Their cohort; absent where they belong to none. */
  cohort?: { campus: string; graduationYear: number };
  /** Who has joined later is not told. */
  at: Date;
  /** Who is being told: their connections come first. */
  circle: 'connections' | 'cohort';
  /** The last one of these who was looked at. */
  after?: ObjectId;
}

export const placementCollection: CollectionDefinition = {
  name: 'notificationPlacements',
  indexes: [
    // What is due, the longest waiting first.
    { key: { nextAttemptAt: 1 } },
    // A user's earlier ones, which the next one replaces, and all of them at erasure.
    { key: { userId: 1, at: 1 } },
  ],
};
