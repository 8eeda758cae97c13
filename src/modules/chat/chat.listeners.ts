import { type AnyBulkWriteOperation, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { excerptOf } from '../../core/excerpt.js';
import { inPortions } from '../../core/portions.js';
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

/** With these one portion takes the database about ten milliseconds. */
const PORTION = 25;
/** In this time at most the conversations of a batch are gone through, in milliseconds, beside what that takes itself. */
const MOST_REST_MS = 4_000;

/**
 * Keeps at each conversation what its list shows of the last message, and how far its author has read. Of many messages
 * of one conversation that come together only the last one is written. What a message says is read, not taken from its
 * event: so it does not matter how often, how late and in which order they come.
 *
 * What was said only moves both on, so that it needs no transaction: it goes a portion of conversations after the other,
 * since hundreds of them at once would hold up the messages that are being written. What was changed is put in place of
 * what is shown, in the transaction: a node that has lost its lease must not bring back what was deleted.
 */
export function lastMessageListener({ database, clock }: { database: Database; clock: Clock }): Listener {
  const conversations = database.collection<Conversation>(conversationCollection.name);
  const memberships = database.collection<Membership>(membershipCollection.name);
  const messages = database.collection<Message>(messageCollection.name);

  /** A membership that is named by its id alone costs the server half of one that it has to find. */
  const noteAuthors = async (said: readonly LastSaid[]): Promise<void> => {
    const authors = new Map(
      said.flatMap(({ conversationId, authors }) =>
        [...authors].map(([userId, seq]) => [`${conversationId} ${userId}`, seq] as const),
      ),
    );
    const userIds = new Set(said.flatMap((each) => [...each.authors.keys()]));
    const found = await memberships
      .find(
        {
          conversationId: { $in: said.map((each) => new ObjectId(each.conversationId)) },
          userId: { $in: idsOf(userIds) },
        },
        { projection: { conversationId: 1, userId: 1, lastReadSeq: 1 } },
      )
      .toArray();
    const changedAt = clock.now();
    const changes = found.flatMap(({ _id, conversationId, userId, lastReadSeq }) => {
      const seq = authors.get(`${conversationId.toHexString()} ${userId.toHexString()}`) ?? 0;
      if (seq <= lastReadSeq) return [];
      const update = { $max: { lastReadSeq: seq, lastDeliveredSeq: seq }, $set: { changedAt } };
      return [{ updateOne: { filter: { _id }, update } }];
    });
    if (changes.length > 0) await memberships.bulkWrite(changes, { ordered: false });
  };

  const noteLast = async (said: readonly LastSaid[]): Promise<void> => {
    const last = await messages.find({ _id: { $in: said.map(({ id }) => new ObjectId(id)) } }).toArray();
    const changes = last.map((message) => showing(message, { $lt: message.seq }));
    if (changes.length > 0) await conversations.bulkWrite(changes, { ordered: false });
  };

  return {
    name: 'last-message',
    types: [messageSent, messageEdited, messageDeleted],
    async beforehand(events, isBehind) {
      // With rests it might never get to the end of what waits.
      const mostRestMs = isBehind ? 0 : MOST_REST_MS;
      await inPortions(lastSaid(events), { size: PORTION, mostRestMs }, async (some) => {
        await noteAuthors(some);
        await noteLast(some);
      });
    },
    async handle(events, session) {
      const ids = changedIn(events);
      if (ids.size === 0) return;
      const changed = await messages.find({ _id: { $in: idsOf(ids) } }, { session }).toArray();
      // In their order: of one conversation there may be several.
      const changes = changed
        .sort((one, other) => one.seq - other.seq)
        .map((message) => showing(message, { $lte: message.seq }));
      if (changes.length > 0) await conversations.bulkWrite(changes, { session });
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

/** What was said last in a conversation, and by each of its authors: who writes has read what was said before. */
interface LastSaid extends Pick<MessageFacts, 'id' | 'conversationId' | 'seq'> {
  authors: Map<string, number>;
}

function lastSaid(events: readonly DomainEvent[]): LastSaid[] {
  const last = new Map<string, LastSaid>();
  for (const event of events) {
    if (!isEvent(event, messageSent)) continue;
    const { id, conversationId, seq, senderId } = event.data;
    const known = last.get(conversationId);
    const authors = known?.authors ?? new Map<string, number>();
    if (senderId !== null) authors.set(senderId, Math.max(seq, authors.get(senderId) ?? 0));
    if (!known || known.seq < seq) last.set(conversationId, { id, conversationId, seq, authors });
  }
  return [...last.values()];
}

/** The messages that were edited or deleted. */
function changedIn(events: readonly DomainEvent[]): Set<string> {
  const changed = new Set<string>();
  for (const event of events) {
    if (isEvent(event, messageEdited)) changed.add(event.data.id);
    else if (isEvent(event, messageDeleted)) changed.add(event.data.messageId);
  }
  return changed;
}

/** It becomes the last one, where the last one known is of such a place. */
function showing(message: Message, lastSeq: Filter<number>): AnyBulkWriteOperation<Conversation> {
  const { _id: id, conversationId: _id, seq, senderId, createdAt } = message;
  const lastMessage = { id, seq, senderId, ...contentOf(message), createdAt };
  const update = { $set: { lastSeq: seq, lastMessage }, $max: { updatedAt: createdAt } };
  return { updateOne: { filter: { _id, lastSeq }, update } };
}

function contentOf({ body, attachments }: Message): Pick<LastMessage, 'excerpt' | 'attached'> {
  const attached = body === '' ? attachments?.[0]?.type : undefined;
  return { excerpt: excerptOf(body), ...(attached && { attached }) };
}

function idsOf(hex: Iterable<string>): ObjectId[] {
  return Array.from(hex, (id) => new ObjectId(id));
}
