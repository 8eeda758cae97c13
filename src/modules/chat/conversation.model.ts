import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const CONVERSATION_TYPES = ['direct', 'group'] as const;
export type ConversationType = (typeof CONVERSATION_TYPES)[number];

export const MEMBER_ROLES = ['owner', 'admin', 'member'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

/** Where users write to one another. Its members stand in `memberships`, one document each. */
export interface Conversation {
  _id: ObjectId;
  type: ConversationType;
  /** Of a direct one: both ids, the smaller first, so that a pair has one conversation. */
  pair?: string;
  title?: string;
  memberCount: number;
  /** The last message that is known here. It follows the messages, which alone are the truth, in a moment. */
  lastSeq: number;
  lastMessage?: LastMessage;
  createdAt: Date;
  /** When anything was last said or changed in it. */
  updatedAt: Date;
}

/** What a list of conversations shows of the last message. */
export interface LastMessage {
  id: ObjectId;
  seq: number;
  senderId: ObjectId;
  excerpt: string;
  createdAt: Date;
}

/** One user's part in a conversation. */
export interface Membership {
  _id: ObjectId;
  conversationId: ObjectId;
  userId: ObjectId;
  role: MemberRole;
  joinedAt: Date;
  /** What was said up to this one was said before they came. */
  joinedSeq: number;
  lastReadSeq: number;
  lastDeliveredSeq: number;
  mutedUntil?: Date;
}

export const conversationCollection: CollectionDefinition = {
  name: 'conversations',
  indexes: [
    // One direct conversation per pair, even where both open it at once.
    { key: { pair: 1 }, options: { unique: true, partialFilterExpression: { pair: { $exists: true } } } },
  ],
};

export const membershipCollection: CollectionDefinition = {
  name: 'memberships',
  indexes: [
    // Nobody is in a conversation twice; all members of one, in the order of their ids.
    { key: { conversationId: 1, userId: 1 }, options: { unique: true } },
    // A user's conversations, from its keys alone.
    { key: { userId: 1, conversationId: 1 } },
  ],
};
