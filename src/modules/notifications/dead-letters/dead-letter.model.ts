import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type NotificationType, type OutsideChannel } from '../notification.types.js';

/** A delivery that was given up, until an admin puts it back or lets it be. */
export interface DeadLetter {
  _id: ObjectId;
  notificationId: ObjectId;
  /** The recipient. */
  userId: ObjectId;
  channel: OutsideChannel;
  type: NotificationType;
  /** The last error's code, the same as in the delivery. */
  error: string;
  /** What the provider said, in its own words; these may name the recipient's address. */
  detail?: string;
  attempts: number;
  diedAt: Date;
}

export const deadLetterCollection: CollectionDefinition = {
  name: 'deadLetters',
  indexes: [
    // A delivery is given up once; also what goes with a notification that is removed.
    { key: { notificationId: 1, channel: 1 }, options: { unique: true } },
    // GET /admin/dead-letters, newest first, by one of its filters; and the count per channel.
    { key: { channel: 1, _id: -1 } },
    { key: { type: 1, _id: -1 } },
    { key: { error: 1, _id: -1 } },
    // What is erased with a user.
    { key: { userId: 1 } },
  ],
};
