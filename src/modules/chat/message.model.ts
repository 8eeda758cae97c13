import { type ObjectId } from 'mongodb';
import { type Traced } from '../../core/observability/tracing.js';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type Attachment } from '../media/index.js';

/** Something said in a conversation; with where it goes on in its trace, if sending it is traced. */
export interface Message extends Traced {
  _id: ObjectId;
  conversationId: ObjectId;
  /** Its place: rises by one, without gaps, and is the order that everyone sees. */
  seq: number;
  /** Null where the account is gone and what it said stays. */
  senderId: ObjectId | null;
  /** Made by the client: what is sent again with it is the same message. */
  clientId: string;
  /** Empty where it was deleted for everyone, or has nothing but attachments. */
  body: string;
  /** What is kept of the media that it has; absent where it has none. */
  attachments?: Attachment[];
  /** The place of the message of the same conversation that it answers. */
  replyTo?: number;
  /** Members whom it names. */
  mentions?: ObjectId[];
  reactions?: MessageReaction[];
  editedAt?: Date;
  deletedAt?: Date;
  createdAt: Date;
  /** When it was written, edited, deleted or reacted to last: what a client that was away asks by. */
  changedAt: Date;
}

/** One of each user. */
export interface MessageReaction {
  userId: ObjectId;
  emoji: string;
}

/** What a message said before it was edited or deleted, for moderators. */
export interface MessageEdit {
  _id: ObjectId;
  messageId: ObjectId;
  senderId: ObjectId;
  body: string;
  /** Where it was deleted: what it had. Editing leaves that as it is. */
  attachments?: Attachment[];
  at: Date;
}

/** A message that somebody has deleted for themself. */
export interface HiddenMessage {
  _id: ObjectId;
  userId: ObjectId;
  conversationId: ObjectId;
  messageId: ObjectId;
  seq: number;
  changedAt: Date;
}

export const messageCollection: CollectionDefinition = {
  name: 'messages',
  indexes: [
    // Two messages never take the same place; also pages of a conversation, and its last place.
    { key: { conversationId: 1, seq: -1 }, options: { unique: true } },
    // Sent twice is one message, on whatever node; also all of a user's messages, for the export.
    { key: { senderId: 1, clientId: 1 }, options: { unique: true } },
    // What has changed in some conversations since a moment.
    { key: { conversationId: 1, changedAt: 1, _id: 1 } },
    // Where some members are named in a conversation that many have spoken in since, and where an erased user is; in most
    // messages nobody is.
    {
      key: { mentions: 1, conversationId: 1, seq: -1 },
      options: { partialFilterExpression: { mentions: { $exists: true } } },
    },
    // Where an erased user has reacted.
    { key: { 'reactions.userId': 1 }, options: { sparse: true } },
  ],
};

export const messageEditCollection: CollectionDefinition = {
  name: 'messageEdits',
  indexes: [
    // The history of a message, in its order.
    { key: { messageId: 1, at: 1 } },
    // All of a user's, for the export.
    { key: { senderId: 1 } },
  ],
};

export const hiddenMessageCollection: CollectionDefinition = {
  name: 'hiddenMessages',
  indexes: [
    // Deleted twice is once.
    { key: { userId: 1, messageId: 1 }, options: { unique: true } },
    // Those among a page of a conversation.
    { key: { userId: 1, conversationId: 1, seq: 1 } },
    // Those since a moment.
    { key: { userId: 1, changedAt: 1 } },
  ],
};
