import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type Stepwise } from '../../../core/jobs/step-worker.js';
import { type MediaType } from '../../media/index.js';

/**
 * Something was said in a conversation, or deleted for everyone, or says something else or names others since it was
 * edited: kept until its members are told of it.
 */
export interface MessageNews extends Stepwise {
  /** Of a deletion the event that says so; of an edit of whom it names the message, so that all are one piece of work. */
  _id: ObjectId;
  conversationId: ObjectId;
  kind: 'said' | 'deleted' | 'edited' | 'reworded';
  /** The last message that was said, or the one that was deleted or edited. */
  seq: number;
  /** The message that says something else. */
  messageId?: ObjectId;
  /** Whom what was said names; of an edit whom it names now, or names no longer. */
  mentioned?: ObjectId[];
  /** The last event that says of an edit. */
  eventId?: ObjectId;
  /** As long as what is said joins it: until the first members are told. One of a conversation at most. */
  isOpen?: true;
  /** The last member who was looked at, or the last notification. */
  after?: ObjectId;
  /** When something was deleted, or names others, that those who are being told must not be told of as it was. */
  touchedAt?: Date;
}

export const messageNewsCollection: CollectionDefinition = {
  name: 'messageNews',
  indexes: [
    // What is due, the longest waiting first.
    { key: { nextAttemptAt: 1 } },
    // What the next message joins; of messages that come at once only one begins it.
    { key: { conversationId: 1 }, options: { unique: true, partialFilterExpression: { isOpen: true } } },
    // What is being told of a conversation in which something is deleted or edited.
    { key: { conversationId: 1, kind: 1 } },
  ],
};

/** What a notification of messages, or of a mention in one, says of them, in `data`. */
export interface MessageFacts {
  conversationId: string;
  /** Up to where its recipient had read when that was looked at last. */
  readSeq: number;
  /** It tells of what was said from here on. */
  fromSeq: number;
  /** And up to here. */
  seq: number;
  /** The newest of them, whose words it quotes. */
  messageId: string;
  /** Empty where that was deleted, or has nothing but attachments. */
  excerpt: string;
  /** What that has attached, where it has no words. */
  attached?: MediaType;
  /** Of a group, with its title, if it has one. */
  chat?: { group: string };
}
