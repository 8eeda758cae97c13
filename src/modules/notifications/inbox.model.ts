import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/**
 * What a user's notifications come to. It is changed in the transactions that change them, which therefore happen one
 * after the other for one user: the count is exact, and positions are in the order in which changes were committed.
 */
export interface Inbox {
  /** The user. */
  _id: ObjectId;
  /** How many are not read yet. */
  unread: number;
  /** How many changes there have been: the position of the last one. */
  position: number;
  /** The last time that all up to one of them were read, in a single change. */
  readAll?: { position: number; upTo: ObjectId };
  /** Before this position some have gone without leaving word which: whoever was there fetches the list anew. */
  gap?: number;
}

export const inboxCollection: CollectionDefinition = {
  name: 'notificationInboxes',
  // Read by the user's id only.
  indexes: [],
};
