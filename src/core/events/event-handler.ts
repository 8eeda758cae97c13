import { SpanKind } from '@opentelemetry/api';
import { type Collection, type ObjectId, type ResumeToken, type UpdateFilter } from 'mongodb';
import { setTimeout as pause } from 'node:timers/promises';
import { type Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import { type Lease, LeaseLost } from '../database/lease.js';
import { type Log } from '../observability/log.js';
import { follow } from '../observability/tracing.js';
import { deadEventsCollection } from './collections.js';
import { type ConsumerRow } from './checkpoint.js';
import { type DomainEvent } from './event.js';
import { type Listener } from './listener.js';

/** An event to handle; without a token where it was read from the collection and not from the stream. */
export interface PositionedEvent {
  event: DomainEvent;
  token?: ResumeToken;
}

/** What an operator should count. */
export interface ConsumerObserver {
  handled(events: number): void;
  setAside(): void;
  historyLost(): void;
}

/** An event that was set aside, with what its listener threw. */
export interface DeadEvent {
  eventId: ObjectId;
  consumer: string;
  event: DomainEvent;
  error: string;
  at: Date;
}

export interface EventHandlerOptions {
  name: string;
  database: Database;
  listeners: readonly Listener[];
  lease: Lease<ConsumerRow>;
  log: Log;
  observe?: ConsumerObserver;
}

const ATTEMPTS = 3;
const PAUSE_BETWEEN_ATTEMPTS_MS = 100;

/**
 * Runs the listeners over a batch of events; what they write in the transaction and the checkpoint commit together, under
 * the lease.
 */
export class EventHandler {
  private readonly dead: Collection<DeadEvent>;
  private handledUpTo: ObjectId | undefined;

  constructor(private readonly options: EventHandlerOptions) {
    this.dead = options.database.collection(deadEventsCollection.name);
  }

  /** The last event whose effects are committed. */
  get lastEventId(): ObjectId | undefined {
    return this.handledUpTo;
  }

  /**
   * Handles a batch, as a whole if possible; if a listener fails, event by event, and an event that fails each time
   * is set aside so that the rest goes on.
   * @param isBehind whether further events wait already
   * @throws LeaseLost, or the driver's error where the database cannot be reached: then nothing has happened
   */
  async handle(batch: PositionedEvent[], isBehind: boolean): Promise<void> {
    try {
      await this.commit(batch, isBehind);
    } catch (error) {
      if (isNobodysFault(error)) throw error;
      this.options.log.warn({ err: error, events: batch.length }, 'consumer: a listener failed; trying event by event');
      for (const one of batch) await this.handleAlone(one);
    }
  }

  /** Moves the checkpoint on to a token up to which there was nothing to handle. */
  async skipTo(token: ResumeToken): Promise<void> {
    await this.options.lease.guard(undefined, { $set: { token } });
  }

  private async handleAlone(one: PositionedEvent): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.commit([one], true);
        return;
      } catch (error) {
        if (isNobodysFault(error)) throw error;
        if (attempt === ATTEMPTS) {
          await this.setAside(one, error);
          return;
        }
        await pause(PAUSE_BETWEEN_ATTEMPTS_MS * attempt);
      }
    }
  }

  private async commit(batch: PositionedEvent[], isBehind: boolean): Promise<void> {
    const last = batch.at(-1);
    if (!last) return;
    const { database, listeners, lease, name } = this.options;
    const work = {
      name,
      kind: SpanKind.CONSUMER,
      attributes: { 'messaging.batch.message_count': batch.length },
    };
    const all = batch.map(({ event }) => event);
    await follow(all, work, async (handled) => {
      // Together: one that takes its time keeps no other waiting.
      const outcomes = await Promise.allSettled(
        listeners.map((listener) => {
          const { beforehand } = listener;
          return tell(listener, handled, beforehand && ((own) => beforehand(own, isBehind)));
        }),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      await database.inTransaction(async (session) => {
        await lease.announce(session);
        for (const listener of listeners) {
          const { handle } = listener;
          await tell(listener, handled, handle && ((own) => handle(own, session)));
        }
        await lease.guard(session, movedTo(last));
      });
    });
    this.handledUpTo = last.event._id;
    this.options.observe?.handled(batch.length);
  }

  private async setAside(one: PositionedEvent, error: unknown): Promise<void> {
    const { database, lease, log, name } = this.options;
    const { event } = one;
    log.error({ err: error, eventId: event._id, type: event.type }, 'consumer: event set aside');
    const row = { event, error: error instanceof Error ? error.message : String(error), at: new Date() };
    await database.inTransaction(async (session) => {
      await this.dead.updateOne({ eventId: event._id, consumer: name }, { $set: row }, { upsert: true, session });
      await lease.guard(session, movedTo(one));
    });
    this.handledUpTo = event._id;
    this.options.observe?.setAside();
  }
}

/** Does what a listener does, if it does it, with the events that it wants. */
async function tell(
  { name, types }: Listener,
  events: readonly DomainEvent[],
  work: ((own: DomainEvent[]) => Promise<void>) | undefined,
): Promise<void> {
  const wantedTypes = new Set(types.map(({ type }) => type));
  const wanted = events.filter(({ type }) => wantedTypes.has(type));
  if (work && wanted.length > 0) await follow(wanted, { name: `listener ${name}` }, work);
}

/** The update that moves the checkpoint past an event. */
function movedTo({ event, token }: PositionedEvent): UpdateFilter<ConsumerRow> {
  if (token === undefined) return { $set: { lastEventId: event._id }, $unset: { token: 1 } };
  return { $set: { lastEventId: event._id, token } };
}

/** Losing the lease or the database says nothing about the event. */
function isNobodysFault(error: unknown): boolean {
  return error instanceof LeaseLost || isDatabaseUnavailable(error);
}
