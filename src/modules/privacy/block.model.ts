import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** One user wants nothing to do with another. */
export interface Block {
  _id: ObjectId;
  blockerId: ObjectId;
  blockedId: ObjectId;
  createdAt: Date;
}

export const blockCollection: CollectionDefinition = {
  name: 'blocks',
  indexes: [
    // One block per pair and direction; whom a user has blocked, from its keys alone.
    { key: { blockerId: 1, blockedId: 1 }, options: { unique: true } },
    // Who has blocked a user, from its keys alone.
    { key: { blockedId: 1, blockerId: 1 } },
    // The list of those one has blocked, newest first.
    { key: { blockerId: 1, _id: -1 } },
  ],
};
