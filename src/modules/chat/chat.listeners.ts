import { type AnyBulkWriteOperation, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { excerptOf } from '../../core/excerpt.js';
import { connectionAccepted } from '../network/index.js';
import { userBlocked } from '../privacy/index.js';
import { messageDeleted, messageEdited, messageSent } from './chat.events.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
} from './conversation.model.js';
import { type ConversationService } from './conversation.service.js';
import { type MemberService } from './member.service.js';
import { type MessageAnswer } from './message.presenter.js';

/**
 * Keeps at each conversation what its list shows of the last message. Of many messages of one conversation that come
 * together only the last one is written.
 */
export function lastMessageListener({ database, clock }: { database: Database; clock: Clock }): Listener {
  const conversations = database.collection<Conversation>(conversationCollection.name);
  const memberships = database.collection<Membership>(membershipCollection.name);
  return {
    name: 'last-message',
    types: [messageSent, messageEdited, messageDeleted],
    async handle(events, session) {
      const now = clock.now();
      const changes = conversationChanges(events);
      if (changes.length > 0) await conversations.bulkWrite(changes, { session });
      const own = ownMarks(events, now);
      if (own.length > 0) await memberships.bulkWrite(own, { session });
    },
  };
}

/** What a block and a connection do to the conversations of the two. */
export function tieListener(deps: { conversations: ConversationService; members: MemberService }): Listener {
  return {
    name: 'chat-ties',
    types: [userBlocked, connectionAccepted],
    async handle(events, session) {
      const { conversations, members } = deps;
      for (const event of events) {
        if (isEvent(event, userBlocked)) {
          const { blockerId, blockedId } = event.data;
          await conversations.hideDirect(session, blockerId, blockedId);
          await members.removeFromGroupsOf(session, blockerId, blockedId);
        } else if (isEvent(event, connectionAccepted)) {
          const { requesterId, addresseeId } = event.data;
          await conversations.ensureDirect(session, requesterId, addresseeId);
        }
      }
    },
  };
}

function conversationChanges(events: DomainEvent[]): AnyBulkWriteOperation<Conversation>[] {
  const changes = new Map<string, AnyBulkWriteOperation<Conversation>>();
  const later: AnyBulkWriteOperation<Conversation>[] = [];
  for (const event of events) {
    if (isEvent(event, messageSent)) changes.set(event.data.conversationId, said(event.data));
    else if (isEvent(event, messageEdited))
      later.push(excerpt(event.data.conversationId, event.data.id, excerptOf(event.data.body)));
    else if (isEvent(event, messageDeleted)) later.push(excerpt(event.data.conversationId, event.data.messageId, ''));
  }
  return [...changes.values(), ...later];
}

function said(message: MessageAnswer): AnyBulkWriteOperation<Conversation> {
  const { id, conversationId, seq, senderId, body, createdAt } = message;
  const at = new Date(createdAt);
  const lastMessage = {
    id: new ObjectId(id),
    seq,
    senderId: senderId === null ? null : new ObjectId(senderId),
    excerpt: excerptOf(body),
    createdAt: at,
  };
  return {
    updateOne: {
      filter: { _id: new ObjectId(conversationId), lastSeq: { $lt: seq } },
      update: { $set: { lastSeq: seq, lastMessage }, $max: { updatedAt: at } },
    },
  };
}

function excerpt(conversationId: string, messageId: string, text: string): AnyBulkWriteOperation<Conversation> {
  const filter = { _id: new ObjectId(conversationId), 'lastMessage.id': new ObjectId(messageId) };
  return { updateOne: { filter, update: { $set: { 'lastMessage.excerpt': text } } } };
}

/** Who writes has read what was said before. */
function ownMarks(events: DomainEvent[], changedAt: Date): AnyBulkWriteOperation<Membership>[] {
  const last = new Map<string, MessageAnswer & { senderId: string }>();
  for (const event of events) {
    if (!isEvent(event, messageSent)) continue;
    const { senderId, conversationId } = event.data;
    if (senderId !== null) last.set(`${conversationId} ${senderId}`, { ...event.data, senderId });
  }
  return [...last.values()].map(({ conversationId, senderId, seq }) => ({
    updateOne: {
      filter: {
        conversationId: new ObjectId(conversationId),
        userId: new ObjectId(senderId),
        lastReadSeq: { $lt: seq },
      },
      update: { $max: { lastReadSeq: seq, lastDeliveredSeq: seq }, $set: { changedAt } },
    },
  }));
}
