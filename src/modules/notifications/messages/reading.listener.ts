import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../../core/events/event.js';
import { type Listener } from '../../../core/events/listener.js';
import { memberLeft, messageHidden, messageSent, receiptsAdvanced } from '../../chat/index.js';
import { type Change, copyOf, type InboxChanges, isWaiting, stopWaiting } from '../inbox-changes.js';
import { type Lines } from '../lines.js';
import { type Notification } from '../notification.model.js';
import { OUTSIDE_CHANNELS, UNREAD } from '../notification.types.js';
import { type MessageFacts } from './news.model.js';
import { type Retraction } from './retraction.js';

export interface ReadingListenerDeps {
  database: Database;
  lines: Lines;
  changes: InboxChanges;
  retraction: Retraction;
}

/** Conversations that are asked for in one query. */
const AT_ONCE = 200;

/** By conversation and user up to where they have read. */
type ReadUpTo = Map<string, Map<string, number>>;

/**
 * Takes note in the notifications of what is read in conversations: what was told of it is read, on every device, and
 * what has not been sent is not sent. So it is where its recipient leaves the conversation. Who says something has read
 * what was said before.
 */
export function readingListener({ database, lines, changes, retraction }: ReadingListenerDeps): Listener {
  const notifications: Collection<Notification> = database.collection('notifications');

  /** What remains of a line of which only a part was read. */
  const remaining = async (session: ClientSession, head: Notification, upTo: number): Promise<Change> => {
    const followers: Filter<Notification> = { line: head.line ?? head._id, 'channels.inApp.status': null };
    await notifications.updateMany({ ...followers, 'data.seq': { $lte: upTo } }, { $unset: { line: 1 } }, { session });
    const cut = await notifications.findOne(
      { ...followers, 'data.fromSeq': { $lte: upTo }, 'data.seq': { $gt: upTo } },
      { session },
    );
    if (cut) await changes.publish(session, [{ before: cut, after: unreadPart(cut, upTo) }]);
    return { before: head, after: unreadPart(head, upTo) };
  };

  const takeNote = async (session: ClientSession, shown: Notification[], readUpTo: ReadUpTo): Promise<void> => {
    const whole: Notification[] = [];
    const cut: Change[] = [];
    for (const before of shown) {
      const upTo = readUpTo.get(factsOf(before).conversationId)?.get(before.userId.toHexString()) ?? 0;
      const { seq, readSeq } = factsOf(before);
      if (seq > upTo) {
        // What has only arrived on a device was not read.
        if (upTo > readSeq) cut.push(await remaining(session, before, upTo));
        // Who was told of a message since it was edited, and had read it before, has read it when they read on.
      } else if (upTo > readSeq) whole.push(before);
    }
    await close(session, whole);
    await changes.publish(session, await lines.recount(session, cut));
  };

  /** Nothing of these is left to be read. */
  const close = async (session: ClientSession, whole: readonly Notification[]): Promise<void> => {
    const done = whole.filter((each) => !isOpen(each)).map(({ _id }) => _id);
    if (done.length > 0) {
      // What waits to be shown again, when whoever it tells of is back, is read as well.
      await notifications.updateMany({ _id: { $in: done } }, { $unset: { unreadIn: 1 } }, { session });
      const withheld = { _id: { $in: done }, withheld: { $exists: true } };
      await notifications.updateMany(withheld, { $set: { 'withheld.status': 'read' } }, { session });
    }
    await changes.publish(
      session,
      whole.filter(isOpen).map((before) => ({ before, after: readOf(before) })),
    );
  };

  /** Who comes back later is told anew: what is told then is left alone, though it is handled again that they left. */
  const leave = async (session: ClientSession, unreadIn: ObjectId, userId: ObjectId, at: Date): Promise<void> => {
    await close(
      session,
      await notifications.find({ unreadIn, userId, createdAt: { $lte: at } }, { session }).toArray(),
    );
  };

  const read = async (session: ClientSession, readUpTo: ReadUpTo): Promise<void> => {
    const conversations = [...readUpTo];
    for (let at = 0; at < conversations.length; at += AT_ONCE) {
      const some = conversations.slice(at, at + AT_ONCE);
      const readers = new Set(some.flatMap(([, ofOne]) => [...ofOne.keys()]));
      // Of each conversation that has readers there are few who were told and have not read, if any.
      const theirs = { unreadIn: { $in: some.map(([id]) => new ObjectId(id)) }, userId: { $in: idsOf(readers) } };
      await takeNote(session, await notifications.find(theirs, { session }).toArray(), readUpTo);
    }
  };

  return {
    name: 'reading of messages',
    types: [receiptsAdvanced, messageSent, memberLeft, messageHidden],
    async handle(events, session) {
      await read(session, readUpToOf(events));
      for (const event of events) {
        if (isEvent(event, memberLeft)) {
          const { conversationId, userId } = event.data;
          await leave(session, new ObjectId(conversationId), new ObjectId(userId), event.at);
        } else if (isEvent(event, messageHidden)) {
          const { userId, message } = event.data;
          const which = { conversationId: new ObjectId(message.conversationId), seq: message.seq, eventId: event._id };
          await retraction.forSome(session, which, [new ObjectId(userId)]);
        }
      }
    },
  };
}

function readUpToOf(events: readonly DomainEvent[]): ReadUpTo {
  const readUpTo: ReadUpTo = new Map();
  const note = (conversationId: string, userId: string, seq: number): void => {
    const readers = readUpTo.get(conversationId) ?? new Map<string, number>();
    readers.set(userId, Math.max(seq, readers.get(userId) ?? 0));
    readUpTo.set(conversationId, readers);
  };
  for (const event of events) {
    if (isEvent(event, receiptsAdvanced)) {
      for (const { conversationId, userId, lastReadSeq } of event.data.receipts) {
        note(conversationId, userId, lastReadSeq);
      }
    } else if (isEvent(event, messageSent)) {
      const { conversationId, senderId, seq } = event.data;
      if (senderId !== null) note(conversationId, senderId, seq);
    }
  }
  return readUpTo;
}

function idsOf(hex: Iterable<string>): ObjectId[] {
  return Array.from(hex, (id) => new ObjectId(id));
}

function factsOf({ data }: Notification): MessageFacts {
  return data as MessageFacts;
}

/** Whether it is unread in the app, or waits to be sent. */
function isOpen({ channels }: Notification): boolean {
  const isUnread = channels.inApp && UNREAD.includes(channels.inApp.status);
  return isUnread === true || OUTSIDE_CHANNELS.some((channel) => channels[channel] && isWaiting(channels[channel]));
}

function readOf(before: Notification): Notification {
  const { unreadIn: _, ...after } = copyOf(before);
  const { inApp } = after.channels;
  if (inApp && UNREAD.includes(inApp.status)) after.channels.inApp = { status: 'read' };
  stopWaiting(after, 'READ');
  return after;
}

/** The same, telling only of what was said after a place. */
function unreadPart(before: Notification, upTo: number): Notification {
  const facts = factsOf(before);
  const fromSeq = Math.max(facts.fromSeq, upTo + 1);
  const occurrences = Math.min(before.occurrences ?? 1, facts.seq + 1 - fromSeq);
  return Object.assign(copyOf(before), { occurrences, data: { ...facts, readSeq: upTo, fromSeq } });
}
