import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** A phone number that its owner has shown to be theirs. */
export interface Phone {
  /** The user. */
  _id: ObjectId;
  /** In its international form (E.164). */
  number: string;
  verifiedAt: Date;
}

export const phoneCollection: CollectionDefinition = {
  name: 'phones',
  indexes: [
    // A number is one account's at a time; whose it is that a message came from.
    { key: { number: 1 }, options: { unique: true } },
  ],
};
