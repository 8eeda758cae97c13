import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';

/** A link by which users come into a group by themselves. */
export interface Invitation {
  _id: ObjectId;
  conversationId: ObjectId;
  /** Null where the account is gone: the link is the group’s. */
  createdBy: ObjectId | null;
  /** Of the secret in the link, which is kept nowhere. */
  hash: string;
  /** Whether those who follow it ask to be let in, instead of being in at once. */
  needsApproval: boolean;
  /** How many have come in, or asked to, by it. */
  uses: number;
  maxUses?: number;
  createdAt: Date;
  expiresAt: Date;
  revokedAt?: Date;
}

/** For so long after its end it is said of a link that it has ended; then it is as if there had never been one. */
const REMEMBERED_SECONDS = 30 * 86_400;

export const invitationCollection: CollectionDefinition = {
  name: 'conversationInvitations',
  indexes: [
    // The one that a link stands for.
    { key: { hash: 1 }, options: { unique: true } },
    // Those of a group, newest first.
    { key: { conversationId: 1, _id: -1 } },
    // Those that a user has made, for the export and the erasure.
    { key: { createdBy: 1 } },
    { key: { expiresAt: 1 }, options: { expireAfterSeconds: REMEMBERED_SECONDS } },
  ],
};
