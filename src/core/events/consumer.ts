import { type ObjectId, type ResumeToken } from 'mongodb';
import { setTimeout as pause } from 'node:timers/promises';
import { type Database } from '../database/database.js';
import { Lease, LeaseLost } from '../database/lease.js';
import { type Log } from '../observability/log.js';
import { eventsSince } from './catch-up.js';
import { HistoryLost, open, type OpenStream, streamOf } from './change-stream.js';
import { type ConsumerRow } from './checkpoint.js';
import { consumersCollection } from './collections.js';
import { type ConsumerObserver, EventHandler } from './event-handler.js';
import { type StreamedEvent } from './event-queue.js';
import { type Feed } from './feed.js';
import { Handover } from './handover.js';
import { type Listener } from './listener.js';
import { type EventSource } from './source.js';
import { Tap } from './tap.js';

export interface ConsumerOptions {
  /** The consumer's name: its row in `consumers`. */
  name: string;
  /** Names this process among all. */
  owner: string;
  database: Database;
  listeners: readonly Listener[];
  /** What is an event beside the rows of `events`. */
  sources?: readonly EventSource[];
  /** Whose stream it shares once it has caught up; where absent it keeps one of its own. */
  feed?: Pick<Feed, 'tap'>;
  log: Log;
  /** How long a lease holds without renewal, in milliseconds. */
  leaseMs?: number;
  /**
   * It rests so long after each batch, in milliseconds, where being late is no harm: more are then handled together. The
   * longer a batch takes, the longer it rests.
   */
  restMs?: number;
  /** So many events are handled in one transaction at most. */
  batchSize?: number;
  /** After this long without an event the position is saved all the same, in milliseconds. */
  idleMs?: number;
  observe?: ConsumerObserver;
}

const BATCH_SIZE = 100;
/** One that rests does so for at least so many times as long as it has worked: others need the database more. */
const REST = 8;
const LONGEST_REST_MS = 2_000;

/**
 * Handles every event once in effect, on one node at a time, in batches. The node that holds the lease continues at
 * the saved position; when that is no longer in the server's history it reads the events collection instead.
 */
export class Consumer {
  private readonly types: ReadonlySet<string>;
  private readonly lease: Lease<ConsumerRow>;
  private readonly handler: EventHandler;
  private readonly leaseMs: number;
  private readonly idleMs: number;
  private readonly batchSize: number;
  private readonly log: Log;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private stream: { close(): Promise<void> } | undefined;
  private leading = false;
  /** Everything up to here is handled. */
  private position: ResumeToken;
  private savedAt = 0;

  constructor(private readonly options: ConsumerOptions) {
    const { database, listeners, name, owner } = options;
    this.log = options.log.child({ consumer: name });
    this.leaseMs = options.leaseMs ?? 6_000;
    this.idleMs = options.idleMs ?? 10_000;
    this.batchSize = options.batchSize ?? BATCH_SIZE;
    this.types = new Set(listeners.flatMap((listener) => listener.types.map(({ type }) => type)));
    this.lease = new Lease({
      db: database.db,
      rows: database.collection<ConsumerRow>(consumersCollection.name),
      id: name,
      owner,
      ttlMs: this.leaseMs,
    });
    this.handler = new EventHandler({ ...options, log: this.log, lease: this.lease });
  }

  /** Whether this node holds the lease. */
  get isLeading(): boolean {
    return this.leading;
  }

  /** Begins to compete for the lease; returns at once. */
  start(): void {
    this.running = this.run();
  }

  /** Finishes the batch at hand and gives the lease back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.stream?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopping()) {
      try {
        const row = await this.lease.tryAcquire();
        if (row) await this.lead(row);
        else await this.wait(this.leaseMs / 6);
      } catch (error) {
        if (this.isStopping()) return;
        this.log.warn({ err: error }, 'consumer: starting over from the saved position');
        await this.wait(500);
      }
    }
  }

  private async lead(row: ConsumerRow): Promise<void> {
    this.log.info({ epoch: row.epoch }, 'consumer: holding the lease');
    this.leading = true;
    this.lease.keepRenewed(() => void this.stream?.close());
    try {
      await this.consume(row.token, row.lastEventId);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      this.log.warn('consumer: another node took the lease');
    } finally {
      this.leading = false;
      await this.stream?.close();
      // Where the database cannot be reached the lease runs out by itself.
      await this.lease.release().catch(() => undefined);
    }
  }

  private async consume(token: ResumeToken, lastEventId: ObjectId | undefined): Promise<void> {
    try {
      if (token === undefined) await this.catchUpAndFollow(lastEventId);
      else await this.follow(await this.open(token));
    } catch (error) {
      if (!(error instanceof HistoryLost)) throw error;
      await this.catchUpAndFollow(this.handler.lastEventId ?? lastEventId, error);
    }
  }

  /** Handles what is stored since the given event, then what the stream brings. */
  private async catchUpAndFollow(lastEventId: ObjectId | undefined, lost?: HistoryLost): Promise<void> {
    // The stream is opened before the collection is read, so that nothing falls in between; what both hold is
    // handled twice, which listeners must bear.
    const streamed = await this.open();
    if (lost) {
      // Said only now: if the server refuses every stream, it is not the position that is wrong.
      this.log.warn({ err: lost.cause }, 'consumer: history is lost at the saved position; reading the collection');
      this.options.observe?.historyLost();
    }
    let count = 0;
    const { database, sources = [] } = this.options;
    for await (const events of eventsSince(
      database,
      lastEventId,
      { types: [...this.types], sources },
      this.batchSize,
    )) {
      // Nothing of the stream may be handled after a part only: its token would pass over the rest.
      if (this.isStopping()) return;
      const isBehind = events.length === this.batchSize;
      await this.handler.handle(
        events.map((event) => ({ event })),
        isBehind,
      );
      count += events.length;
    }
    if (count > 0) this.log.info({ count }, 'consumer: caught up');
    await this.follow(streamed);
  }

  /** Reads its own stream until the feed brings the same, and then the feed's as long as it can; then it starts over. */
  private async follow(own: OpenStream): Promise<void> {
    const tap = await this.read(own);
    if (!tap) return;
    await this.read(tap);
    if (tap.overran) this.log.info('consumer: too slow for the feed; reading a stream of its own');
  }

  /** Handles what a stream brings, until it ends or, at the place that this answers with, the feed goes on. */
  private async read(stream: OpenStream): Promise<Tap | undefined> {
    const { feed } = this.options;
    const handover = feed && !(stream instanceof Tap) ? new Handover(feed, this.types) : undefined;
    let tap: Tap | undefined;
    try {
      for await (const batch of stream.batches(this.batchSize, this.idleMs)) {
        // A full batch has others waiting behind it.
        const isBehind = batch.length === this.batchSize;
        if (batch.length === 0) await this.skipTo(stream.resumeToken);
        else await this.handle(batch, isBehind);
        if (this.isStopping()) break;
        tap = handover?.after(batch, isBehind);
        if (!tap) continue;
        // Before its own one is closed, so that a stop or a lost lease at that moment closes this one.
        this.stream = tap;
        break;
      }
    } finally {
      if (!tap) handover?.giveUp();
    }
    return tap;
  }

  private async handle(batch: StreamedEvent[], isBehind: boolean): Promise<void> {
    const wanted = batch.filter(({ event }) => this.types.has(event.type));
    const begun = performance.now();
    if (wanted.length > 0) {
      await this.handler.handle(wanted, isBehind);
      this.saved(wanted.at(-1)?.token);
      if (!isBehind) await this.rest(performance.now() - begun);
    } else if (begun - this.savedAt > this.idleMs) await this.skipTo(batch.at(-1)?.token);
  }

  /** Without this a quiet consumer's position would grow too old for the server. */
  private async skipTo(token: ResumeToken): Promise<void> {
    if (token === undefined || token === this.position) return;
    await this.handler.skipTo(token);
    this.saved(token);
  }

  private saved(token: ResumeToken): void {
    this.position = token;
    this.savedAt = performance.now();
  }

  private async open(resumeAfter?: ResumeToken): Promise<OpenStream> {
    await this.stream?.close();
    const isResumed = resumeAfter !== undefined;
    this.position = resumeAfter;
    const { database, sources = [] } = this.options;
    const stream = streamOf(database, { sources, ...(isResumed && { resumeAfter }) });
    // Known before anything is awaited, so that a stop or a lost lease at any moment closes it.
    this.stream = stream;
    if (this.isStopping()) await stream.close();
    return open(stream, isResumed);
  }

  private async rest(workedMs: number): Promise<void> {
    const { restMs } = this.options;
    if (restMs === undefined) return;
    await this.wait(Math.max(restMs, Math.min(REST * workedMs, LONGEST_REST_MS)));
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private wait(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
