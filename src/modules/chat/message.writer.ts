import { type Collection, MongoBulkWriteError, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { Gathering } from '../../core/gathering.js';
import { conflict } from '../../core/http/problem.js';
import { eventWritten, type Traced } from '../../core/observability/tracing.js';
import { messageSent } from './chat.events.js';
import { type Message, messageCollection } from './message.model.js';

/** A message before it has its place. */
export type NewMessage = Pick<
  Message,
  'conversationId' | 'clientId' | 'body' | 'replyTo' | 'mentions' | 'attachments'
> & {
  /** Where it has to be known before. */
  _id?: ObjectId;
  senderId: ObjectId;
} & Traced;

/** With these in one write the server takes a few dozen milliseconds. */
const MOST_AT_ONCE = 500;
const MOST_WAITING = 20_000;
/** How long a message waits at most, in milliseconds, to be written together with others. */
const MOST_REST_MS = 10;
/** Conversations whose last place is remembered. */
const MOST_REMEMBERED = 100_000;

/**
 * Writes messages, those that come at once together. Each gets the next place of its conversation: a node remembers the
 * last one it has seen, and where another node was quicker the unique index says so and the next place is taken.
 */
export class MessageWriter implements FeedSubscriber {
  private readonly messages: Collection<Message>;
  private readonly gathering: Gathering<NewMessage, Message>;
  /** The last place known of each conversation, those used last at the end. */
  private readonly last = new Map<string, number>();

  constructor(private readonly options: { database: Database; clock: Clock }) {
    this.messages = options.database.collection(messageCollection.name);
    this.gathering = new Gathering({
      most: MOST_AT_ONCE,
      mostWaiting: MOST_WAITING,
      mostRestMs: MOST_REST_MS,
      write: (items) => this.writeAll(items),
    });
  }

  /**
   * Writes a message, or answers with the one that its sender has written with the same `clientId`.
   * @throws Problem 409 `CLIENT_ID_REUSED` where that one is of another conversation, 503 `OVERLOADED`
   */
  write(message: NewMessage): Promise<Message> {
    const traces = eventWritten(messageSent.type);
    return this.gathering.add(traces.traceparent === undefined ? message : { ...message, ...traces });
  }

  /**
   * What its sender has written with the same `clientId`, if anything.
   * @throws Problem 409 `CLIENT_ID_REUSED` where that one is of another conversation
   */
  async written(message: NewMessage): Promise<Message | undefined> {
    const same = await this.same(message);
    const result = same && asSent(message, same);
    if (result?.status === 'rejected') throw result.reason;
    return result?.value;
  }

  /** Other nodes' messages move the last place on, so that the next one here seldom has to try twice. */
  onEvents(events: DomainEvent[]): void {
    for (const event of events) {
      if (!isEvent(event, messageSent)) continue;
      const { conversationId, seq } = event.data;
      const known = this.last.get(conversationId);
      if (known !== undefined && known < seq) this.last.set(conversationId, seq);
    }
  }

  /**
   * In their order: the first one that is refused stops the rest, which is tried again from there. So a place is never
   * left empty behind one that is taken.
   */
  private async writeAll(items: NewMessage[]): Promise<PromiseSettledResult<Message>[]> {
    const results: PromiseSettledResult<Message>[] = [];
    while (results.length < items.length) {
      const numbered = await this.number(items.slice(results.length));
      try {
        await this.messages.insertMany(numbered, { ordered: true });
        for (const message of numbered) results.push(this.done(message));
      } catch (error) {
        const written = error instanceof MongoBulkWriteError ? error.insertedCount : 0;
        for (const message of numbered.slice(0, written)) results.push(this.done(message));
        const unsettled = numbered.slice(written);
        const [refused] = unsettled;
        if (!refused || !isDuplicateKey(error)) {
          // It is not known what of these was written.
          for (const { conversationId } of unsettled) this.last.delete(conversationId.toHexString());
          return [...results, ...unsettled.map(() => ({ status: 'rejected' as const, reason: error }))];
        }
        this.last.delete(refused.conversationId.toHexString());
        const same = await this.same(refused);
        if (same) results.push(asSent(refused, same));
      }
    }
    return results;
  }

  private same({ senderId, clientId }: Pick<Message, 'senderId' | 'clientId'>): Promise<Message | null> {
    return this.messages.findOne({ senderId, clientId });
  }

  private done(message: Message): PromiseSettledResult<Message> {
    this.remember(message.conversationId.toHexString(), message.seq);
    return { status: 'fulfilled', value: message };
  }

  private async number(items: NewMessage[]): Promise<Message[]> {
    await this.learn(items);
    const createdAt = this.options.clock.now();
    const next = new Map<string, number>();
    return items.map((item) => {
      const key = item.conversationId.toHexString();
      const seq = (next.get(key) ?? this.last.get(key) ?? 0) + 1;
      next.set(key, seq);
      return { _id: new ObjectId(), ...item, seq, createdAt, changedAt: createdAt };
    });
  }

  /** Reads the last places of conversations that this node knows nothing of, each from the first key of its index. */
  private async learn(items: NewMessage[]): Promise<void> {
    const unknown = new Map(
      items
        .map(({ conversationId }) => [conversationId.toHexString(), conversationId] as const)
        .filter(([key]) => !this.last.has(key)),
    );
    await Promise.all(
      [...unknown].map(async ([key, conversationId]) => {
        const newest = await this.messages.findOne(
          { conversationId },
          { sort: { seq: -1 }, projection: { _id: 0, seq: 1 } },
        );
        this.remember(key, newest?.seq ?? 0);
      }),
    );
  }

  private remember(key: string, seq: number): void {
    this.last.delete(key);
    if (this.last.size >= MOST_REMEMBERED) {
      const oldest = this.last.keys().next();
      if (!oldest.done) this.last.delete(oldest.value);
    }
    this.last.set(key, seq);
  }
}

function asSent(refused: Pick<Message, 'conversationId'>, same: Message): PromiseSettledResult<Message> {
  if (same.conversationId.equals(refused.conversationId)) return { status: 'fulfilled', value: same };
  const reason = conflict('CLIENT_ID_REUSED', 'You have sent a message to another conversation with this clientId.');
  return { status: 'rejected', reason };
}
