import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';

/** A user at the door of a group: gone as soon as they are in it, or nothing is left to be said of them. */
export interface JoinRequest {
  _id: ObjectId;
  conversationId: ObjectId;
  userId: ObjectId;
  /** Since when they wait to be let in; absent where they do not. */
  askedAt?: Date;
  /** Set where an admin has rejected them or taken them out of the group: no link lets them in unasked any more. */
  turnedAwayAt?: Date;
}

export const joinRequestCollection: CollectionDefinition = {
  name: 'joinRequests',
  indexes: [
    // One of each user and group, however often they ask at once.
    { key: { conversationId: 1, userId: 1 }, options: { unique: true } },
    // Those who wait to be let in, longest first, and how many they are.
    {
      key: { conversationId: 1, askedAt: 1, _id: 1 },
      options: { partialFilterExpression: { askedAt: { $exists: true } } },
    },
    // All of a user’s, for the export and the erasure.
    { key: { userId: 1 } },
  ],
};

/** Of those who wait to be let in. */
export const WAITING = { askedAt: { $exists: true } } as const;
