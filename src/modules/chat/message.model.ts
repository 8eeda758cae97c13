import { type Document, type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type EventSource } from '../../core/events/source.js';
import { messageSent } from './chat.events.js';

/** Something said in a conversation. */
export interface Message {
  _id: ObjectId;
  conversationId: ObjectId;
  /** Its place: rises by one, without gaps, and is the order that everyone sees. */
  seq: number;
  senderId: ObjectId;
  /** Made by the client: what is sent again with it is the same message. */
  clientId: string;
  body: string;
  /** The place of the message of the same conversation that it answers. */
  replyTo?: number;
  createdAt: Date;
}

export const messageCollection: CollectionDefinition = {
  name: 'messages',
  indexes: [
    // Two messages never take the same place; also pages of a conversation, and its last place.
    { key: { conversationId: 1, seq: -1 }, options: { unique: true } },
    // Sent twice is one message, on whatever node; also all of a user's messages, for the export.
    { key: { senderId: 1, clientId: 1 }, options: { unique: true } },
  ],
};

/** A message is never written twice, so that it tells of itself: no second row, and no transaction. */
export const messageSource: EventSource = {
  collection: messageCollection.name,
  type: messageSent,
  toEvent(document: Document) {
    const { _id, conversationId, seq, senderId, clientId, body, replyTo, createdAt } = document as Message;
    const sender = senderId.toHexString();
    return {
      _id,
      type: messageSent.type,
      at: createdAt,
      actorId: sender,
      entity: { kind: 'message', id: _id.toHexString() },
      audience: { conversationId: conversationId.toHexString() },
      data: {
        id: _id.toHexString(),
        conversationId: conversationId.toHexString(),
        seq,
        senderId: sender,
        clientId,
        body,
        ...(replyTo !== undefined && { replyTo }),
        createdAt: createdAt.toISOString(),
      },
    };
  },
};
