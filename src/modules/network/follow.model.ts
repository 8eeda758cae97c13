import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const FOLLOWED_KINDS = ['user', 'hashtag'] as const;
export type FollowedKind = (typeof FOLLOWED_KINDS)[number];

/** What can be followed: a user by id, a hashtag by its name without the sign, in lower case. */
export interface FollowTarget {
  kind: FollowedKind;
  target: string;
}

/** A one-way tie. */
export interface Follow extends FollowTarget {
  _id: ObjectId;
  followerId: ObjectId;
  createdAt: Date;
}

export const followCollection: CollectionDefinition = {
  name: 'follows',
  indexes: [
    // Nobody follows the same thing twice.
    { key: { followerId: 1, kind: 1, target: 1 }, options: { unique: true } },
    // What a user follows, newest first.
    { key: { followerId: 1, _id: -1 } },
    // Who follows something, newest first.
    { key: { kind: 1, target: 1, _id: -1 } },
  ],
};
