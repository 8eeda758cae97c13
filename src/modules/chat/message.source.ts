import { type Document } from 'mongodb';
import { type EventSource } from '../../core/events/source.js';
import { messageSent } from './chat.events.js';
import { type Message, messageCollection } from './message.model.js';
import { factsOf } from './message.presenter.js';

/** A message is never inserted twice, so that it tells of itself: no second row, and no transaction. */
export const messageSource: EventSource = {
  collection: messageCollection.name,
  type: messageSent,
  toEvent(document: Document) {
    const message = document as Message;
    const { _id, conversationId, senderId, createdAt, traceparent } = message;
    return {
      _id,
      type: messageSent.type,
      at: createdAt,
      ...(senderId && { actorId: senderId.toHexString() }),
      entity: { kind: 'message', id: _id.toHexString() },
      audience: { conversationId: conversationId.toHexString() },
      data: factsOf(message),
      ...(traceparent !== undefined && { traceparent }),
    };
  },
};
