import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** Something that a user does not want to be called by. */
export interface Mute {
  _id: ObjectId;
  userId: ObjectId;
  /** What is muted: `post:` or `user:` and the id. */
  key: string;
  /** Absent where it has no end. */
  until?: Date;
  createdAt: Date;
}

export const muteCollection: CollectionDefinition = {
  name: 'notificationMutes',
  indexes: [
    // Who of many recipients has muted this; one mute per user and thing; the mutes of a user who is erased.
    { key: { key: 1, userId: 1 }, options: { unique: true } },
    // One's own mutes, newest first, and how many they are.
    { key: { userId: 1, _id: -1 } },
    // What has ended is removed.
    { key: { until: 1 }, options: { expireAfterSeconds: 0 } },
  ],
};
