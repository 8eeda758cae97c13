import { type AnyBulkWriteOperation, type Collection, ObjectId } from 'mongodb';
import { type Clock, later, SECOND } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../../core/events/event.js';
import { type Listener } from '../../../core/events/listener.js';
import { type Infer } from '../../../core/http/schema.js';
import { messageDeleted, messageEdited, messageMentionsChanged, messageSent } from '../../chat/index.js';
import { type Dismissal } from './dismissal.js';
import { type MessageNews, messageNewsCollection } from './news.model.js';

/** So long after a message those are told who have not read it: what else is said by then is told with it. */
export const TOLD_AFTER_MS = 5 * SECOND;

/** What was said last in a conversation. */
interface Said {
  conversationId: ObjectId;
  seq: number;
  senderId: ObjectId | undefined;
  /** When the first of it was said. */
  at: Date;
  /** Whom any of it names. */
  mentioned: Set<string>;
  traceparent?: string | undefined;
}

export interface MessageNewsDeps {
  database: Database;
  clock: Clock;
  dismissal: Pick<Dismissal, 'without'>;
}

/**
 * Takes note of the conversations in which something was said, deleted or edited: one row for each, however many messages
 * and members there are. A worker tells them. Of what everybody has on the screen, as those have who talk to one another,
 * no note is taken: it would be written and deleted for nearly every message.
 *
 * Not in the transaction: the worker takes the same rows, and would undo all that the batch has done. Taken note of again
 * it tells those again who were not told: nobody.
 */
export function messageNewsListener({ database, clock, dismissal }: MessageNewsDeps): Listener {
  const news = database.collection<MessageNews>(messageNewsCollection.name);
  return {
    name: 'news of messages',
    types: [messageSent, messageDeleted, messageEdited, messageMentionsChanged],
    async beforehand(events) {
      const said = saidIn(events);
      // Who is named may be told though they have muted the conversation.
      const quiet = said.filter(({ mentioned }) => mentioned.size === 0);
      const naming = said.filter(({ mentioned }) => mentioned.size > 0);
      const rows = [...naming, ...(await dismissal.without(quiet))].map(rowFor);
      if (rows.length > 0) await news.bulkWrite(rows, { ordered: false });
      for (const event of events) {
        if (isEvent(event, messageDeleted)) await noteDeletion(news, event, clock.now());
        else if (isEvent(event, messageEdited)) await noteEdit(news, event, clock.now());
        else if (isEvent(event, messageMentionsChanged)) await noteMentions(news, event, clock.now());
      }
    },
  };
}

/** Of each conversation the last place, as if all that came together had been said at once. */
function saidIn(events: readonly DomainEvent[]): Said[] {
  const said = new Map<string, Said>();
  for (const event of events) {
    if (!isEvent(event, messageSent)) continue;
    const { conversationId: id, seq, senderId, mentions } = event.data;
    const known = said.get(id);
    const mentioned = known?.mentioned ?? new Set<string>();
    for (const userId of mentions) mentioned.add(userId);
    const traceparent = event.traceparent ?? known?.traceparent;
    if (known && known.seq >= seq) said.set(id, { ...known, traceparent });
    else {
      said.set(id, {
        ...{ conversationId: new ObjectId(id), seq, at: known?.at ?? event.at, mentioned, traceparent },
        senderId: senderId === null ? undefined : new ObjectId(senderId),
      });
    }
  }
  return [...said.values()];
}

function rowFor({ conversationId, seq, at, mentioned, traceparent }: Said): AnyBulkWriteOperation<MessageNews> {
  return {
    updateOne: {
      filter: { conversationId, isOpen: true },
      update: {
        $max: { seq },
        ...(mentioned.size > 0 && { $addToSet: { mentioned: { $each: idsOf(mentioned) } } }),
        $setOnInsert: { kind: 'said', nextAttemptAt: later(at, TOLD_AFTER_MS) },
        // They are told together, in the trace of the last one that has one.
        ...(traceparent !== undefined && { $set: { traceparent } }),
      },
      upsert: true,
    },
  };
}

type Rows = Collection<MessageNews>;

async function noteDeletion(news: Rows, { _id, data }: DomainEvent<Infer<typeof messageDeleted.schema>>, now: Date) {
  const conversationId = new ObjectId(data.conversationId);
  await startAgain(news, conversationId, now);
  await news.updateOne(
    { _id },
    { $setOnInsert: { conversationId, kind: 'deleted', seq: data.seq, nextAttemptAt: now } },
    { upsert: true },
  );
}

/**
 * Once for all edits of a message that nobody has begun with: each is looked for among what hundreds were told, and whoever
 * begins finds the words of the last one.
 */
async function noteEdit(news: Rows, { data }: DomainEvent<Infer<typeof messageEdited.schema>>, now: Date) {
  const conversationId = new ObjectId(data.conversationId);
  await startAgain(news, conversationId, now);
  const same = { conversationId, kind: 'reworded', messageId: new ObjectId(data.id) } as const;
  await news.updateOne(
    { ...same, claim: { $exists: false }, after: { $exists: false } },
    { $setOnInsert: { seq: data.seq, nextAttemptAt: now } },
    { upsert: true },
  );
}

/** Who is named is told as late as of what was said, since it may be read by then; who is not, at once. */
async function noteMentions(
  news: Rows,
  { _id: eventId, at, data, traceparent }: DomainEvent<Infer<typeof messageMentionsChanged.schema>>,
  now: Date,
) {
  const { messageId, seq, added, removed } = data;
  const conversationId = new ObjectId(data.conversationId);
  await startAgain(news, conversationId, now);
  const first = { conversationId, kind: 'edited', seq } as const;
  await news.updateOne(
    { _id: new ObjectId(messageId) },
    {
      $addToSet: { mentioned: { $each: idsOf([...added, ...removed]) } },
      $set: { eventId, ...(traceparent !== undefined && { traceparent }) },
      ...(removed.length > 0
        ? { $min: { nextAttemptAt: now }, $setOnInsert: first }
        : { $setOnInsert: { ...first, nextAttemptAt: later(at, TOLD_AFTER_MS) } }),
    },
    { upsert: true },
  );
}

/** Whoever tells of what was said or edited there at this moment starts again, and finds it as it is now. */
async function startAgain(news: Rows, conversationId: ObjectId, now: Date): Promise<void> {
  await news.updateMany({ conversationId, kind: { $in: ['said', 'edited'] } }, { $set: { touchedAt: now } });
}

function idsOf(hex: Iterable<string>): ObjectId[] {
  return Array.from(hex, (id) => new ObjectId(id));
}
