import { type AnyBulkWriteOperation, type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { excerptOf } from '../../core/excerpt.js';
import { type Visibility } from '../../core/visibility.js';
import { connectionAccepted } from '../network/index.js';
import { userBlocked } from '../privacy/index.js';
import { messageDeleted, messageEdited, messageSent } from './chat.events.js';
import {
  type Conversation,
  conversationCollection,
  type LastMessage,
  type Membership,
  membershipCollection,
} from './conversation.model.js';
import { type ConversationService } from './conversation.service.js';
import { type MemberService } from './member.service.js';
import { type Message, messageCollection } from './message.model.js';
import { type MessageFacts } from './message.presenter.js';

/**
 * Keeps at each conversation what its list shows of the last message, and how far its author has read. Of many messages
 * of one conversation that come together only the last one is written. What a message says is read, not taken from its
 * event: so it does not matter how often, how late and in which order they come.
 *
 * What is to be changed is read first, and then named by its id alone: an update that has to find its document by
 * anything else costs the server twice as much. Whoever changes it meanwhile has the transaction begin anew.
 */
export function lastMessageListener({ database, clock }: { database: Database; clock: Clock }): Listener {
  const conversations = database.collection<Conversation>(conversationCollection.name);
  const memberships = database.collection<Membership>(membershipCollection.name);
  const messages = database.collection<Message>(messageCollection.name);

  const noteAuthors = async (session: ClientSession, events: DomainEvent[]): Promise<void> => {
    const last = lastByAuthor(events);
    if (last.size === 0) return;
    const found = await memberships
      .find(
        { conversationId: distinct(last, 'conversationId'), userId: distinct(last, 'senderId') },
        { session, projection: { conversationId: 1, userId: 1, lastReadSeq: 1 } },
      )
      .toArray();
    const changedAt = clock.now();
    const changes = found.flatMap(({ _id, conversationId, userId, lastReadSeq }) => {
      const seq = last.get(`${conversationId.toHexString()} ${userId.toHexString()}`)?.seq ?? 0;
      if (seq <= lastReadSeq) return [];
      const update = { $max: { lastReadSeq: seq, lastDeliveredSeq: seq }, $set: { changedAt } };
      return [{ updateOne: { filter: { _id }, update } }];
    });
    if (changes.length > 0) await memberships.bulkWrite(changes, { session });
  };

  const noteLast = async (session: ClientSession, events: DomainEvent[]): Promise<void> => {
    const said = await messages.find({ _id: { $in: concerned(events) } }, { session }).toArray();
    if (said.length === 0) return;
    const known = await conversations
      .find({ _id: { $in: said.map(({ conversationId }) => conversationId) } }, { session, projection: { lastSeq: 1 } })
      .toArray();
    const lastSeqs = new Map(known.map(({ _id, lastSeq }) => [_id.toHexString(), lastSeq]));
    // In their order: of one conversation there may be several, of which some were changed.
    const changes = said
      .filter(({ conversationId, seq }) => seq >= (lastSeqs.get(conversationId.toHexString()) ?? Infinity))
      .sort((one, other) => one.seq - other.seq)
      .map(changeFor);
    if (changes.length > 0) await conversations.bulkWrite(changes, { session });
  };

  return {
    name: 'last-message',
    types: [messageSent, messageEdited, messageDeleted],
    async handle(events, session) {
      await noteAuthors(session, events);
      await noteLast(session, events);
    },
  };
}

/** What a block and a connection do to the conversations of the two; also if it comes late, or again. */
export function tieListener(deps: {
  conversations: ConversationService;
  members: MemberService;
  visibility: Pick<Visibility, 'hiddenPairs'>;
}): Listener {
  return {
    name: 'chat-ties',
    types: [userBlocked, connectionAccepted],
    async handle(events, session) {
      const { conversations, members, visibility } = deps;
      const blocks = events.filter((event) => isEvent(event, userBlocked)).map(({ data }) => data);
      const isBlocked = await visibility.hiddenPairs(
        blocks.map(({ blockerId }) => blockerId),
        blocks.map(({ blockedId }) => blockedId),
      );
      for (const event of events) {
        const { at } = event;
        if (isEvent(event, userBlocked)) {
          const { blockerId, blockedId } = event.data;
          const isOver = !isBlocked(blockerId, blockedId);
          await conversations.hideDirect(session, { oneId: blockerId, otherId: blockedId, at }, isOver);
          await members.removeFromGroupsOf(session, blockerId, blockedId, isOver ? at : undefined);
        } else if (isEvent(event, connectionAccepted)) {
          const { requesterId, addresseeId } = event.data;
          await conversations.ensureDirect(session, { oneId: requesterId, otherId: addresseeId, at });
        }
      }
    },
  };
}

/** The messages to be looked at: the last one said in each conversation, and those that were changed. */
function concerned(events: DomainEvent[]): ObjectId[] {
  const last = new Map<string, MessageFacts>();
  const changed = new Set<string>();
  for (const event of events) {
    if (isEvent(event, messageSent)) {
      const { conversationId, seq } = event.data;
      if (seq > (last.get(conversationId)?.seq ?? 0)) last.set(conversationId, event.data);
    } else if (isEvent(event, messageEdited)) changed.add(event.data.id);
    else if (isEvent(event, messageDeleted)) changed.add(event.data.messageId);
  }
  return [...new Set([...[...last.values()].map(({ id }) => id), ...changed])].map((id) => new ObjectId(id));
}

/** It becomes the last one; where it is that one already, it says anew what it says. */
function changeFor(message: Message): AnyBulkWriteOperation<Conversation> {
  const { _id: id, conversationId: _id, seq, senderId, createdAt } = message;
  const lastMessage = { id, seq, senderId, ...contentOf(message), createdAt };
  const update = { $set: { lastSeq: seq, lastMessage }, $max: { updatedAt: createdAt } };
  return { updateOne: { filter: { _id }, update } };
}

function contentOf({ body, attachments }: Message): Pick<LastMessage, 'excerpt' | 'attached'> {
  const attached = body === '' ? attachments?.[0]?.type : undefined;
  return { excerpt: excerptOf(body), ...(attached && { attached }) };
}

type Said = Pick<MessageFacts, 'conversationId' | 'seq'> & { senderId: string };

/** The last message of each author in each conversation: who writes has read what was said before. */
function lastByAuthor(events: DomainEvent[]): Map<string, Said> {
  const last = new Map<string, Said>();
  for (const event of events) {
    if (!isEvent(event, messageSent)) continue;
    const { senderId, conversationId, seq } = event.data;
    if (senderId !== null) last.set(`${conversationId} ${senderId}`, { conversationId, seq, senderId });
  }
  return last;
}

function distinct(said: ReadonlyMap<string, Said>, field: 'conversationId' | 'senderId'): { $in: ObjectId[] } {
  return { $in: [...new Set([...said.values()].map((each) => each[field]))].map((id) => new ObjectId(id)) };
}
