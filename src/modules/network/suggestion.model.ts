import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** Why a user may know another one, the strongest reason first. */
export const REASONS = [
  'MUTUAL_CONNECTIONS',
  'SAME_COMPANY',
  'SAME_COHORT',
  'SAME_DEPARTMENT',
  'SHARED_SKILLS',
] as const;
export type Reason = (typeof REASONS)[number];

/** Someone whom a user does not want to be suggested. */
export interface Dismissal {
  _id: ObjectId;
  userId: ObjectId;
  dismissedId: ObjectId;
  createdAt: Date;
}

export const dismissalCollection: CollectionDefinition = {
  name: 'suggestionDismissals',
  indexes: [
    // Nobody is dismissed twice; whom a user has dismissed, from its keys alone.
    { key: { userId: 1, dismissedId: 1 }, options: { unique: true } },
  ],
};
