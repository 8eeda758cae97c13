import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type MediaType } from '../media/index.js';

export const CONVERSATION_TYPES = ['direct', 'group'] as const;
export type ConversationType = (typeof CONVERSATION_TYPES)[number];

export const MEMBER_ROLES = ['owner', 'admin', 'member'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

export const MOST_MEMBERS = 1_000;

/** Where users write to one another. Its members stand in `memberships`, one document each. */
export interface Conversation {
  _id: ObjectId;
  type: ConversationType;
  /** Of a direct one: both ids, the smaller first, so that a pair has one conversation. */
  pair?: string;
  /** Of a direct one: the last block, connection or opening anew that closed or opened it. What was before counts no more. */
  tiedAt?: Date;
  title?: string;
  memberCount: number;
  /** The last message that is known here. It follows the messages, which alone are the truth, in a moment. */
  lastSeq: number;
  lastMessage?: LastMessage;
  createdAt: Date;
  /** When anything was last said in it, or it was made. */
  updatedAt: Date;
  /** When its title or its members last changed: what a client that was away asks by. */
  changedAt: Date;
}

/** What a list of conversations shows of the last message. */
export interface LastMessage {
  id: ObjectId;
  seq: number;
  /** Null where the sender is no longer there. */
  senderId: ObjectId | null;
  /** Empty where it was deleted, or has nothing but attachments. */
  excerpt: string;
  /** Where it has no words: what it has attached. */
  attached?: MediaType;
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
  /** What was said up to this one they were told of, outside the conversation itself. */
  toldSeq?: number;
  /** When they were last told of a message that names them since it was edited. */
  namedAt?: Date;
  mutedUntil?: Date;
  /** Set where a block stands between the two of a direct conversation: it is there for neither, until it is opened anew. */
  hiddenAt?: Date;
  /** Set where they are no longer in it; kept so that their clients, when they are back, are told. */
  leftAt?: Date;
  /** When anything of this last changed: what a client that was away asks by. */
  changedAt: Date;
}

/** For so long it is known who has left, and so long a client can be away and still be told what has changed. */
export const REMEMBERED_DAYS = 30;
const DAY_IN_SECONDS = 86_400;

export const conversationCollection: CollectionDefinition = {
  name: 'conversations',
  indexes: [
    // One direct conversation per pair, even where both open it at once.
    { key: { pair: 1 }, options: { unique: true, partialFilterExpression: { pair: { $exists: true } } } },
    // Where an erased user has said the last word.
    { key: { 'lastMessage.senderId': 1 } },
  ],
};

export const membershipCollection: CollectionDefinition = {
  name: 'memberships',
  indexes: [
    // Nobody is in a conversation twice; all members of one, in the order of their ids, also those to be told of it; those
    // who have written in some conversations.
    { key: { conversationId: 1, userId: 1 }, options: { unique: true } },
    // A user's conversations, from its keys alone.
    { key: { userId: 1, conversationId: 1 } },
    // What has changed for a user, and for the others in the user's conversations, since a moment.
    { key: { userId: 1, changedAt: 1 } },
    { key: { conversationId: 1, changedAt: 1 } },
    {
      key: { leftAt: 1 },
      options: {
        name: 'departed',
        expireAfterSeconds: (REMEMBERED_DAYS + 1) * DAY_IN_SECONDS,
        // Without those who are there: a query for them would else be answered by going through all of them.
        partialFilterExpression: { leftAt: { $exists: true } },
      },
    },
  ],
};

/** Of those who are in a conversation and for whom it is there. */
export const PRESENT_MEMBER = { leftAt: { $exists: false }, hiddenAt: { $exists: false } } as const;

/** The one conversation of two users. */
export function pairOf(oneId: string, otherId: string): string {
  return [oneId, otherId].sort().join(':');
}
