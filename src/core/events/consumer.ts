import { type Collection, type ObjectId, type ResumeToken } from 'mongodb';
import { setTimeout as pause } from 'node:timers/promises';
import { type Database } from '../database/database.js';
import { Lease, LeaseLost } from '../database/lease.js';
import { type Log } from '../observability/log.js';
import { eventsSince } from './catch-up.js';
import { type EventStream, inBatches, isHistoryLost, openStream } from './change-stream.js';
import { type ConsumerRow } from './checkpoint.js';
import { consumersCollection, eventsCollection } from './collections.js';
import { type DomainEvent } from './event.js';
import { type ConsumerObserver, EventHandler } from './event-handler.js';
import { type Listener } from './listener.js';

export interface ConsumerOptions {
  /** The consumer's name: its row in `consumers`. */
  name: string;
  /** Names this process among all. */
  owner: string;
  database: Database;
  listeners: readonly Listener[];
  log: Log;
  /** How long a lease holds without renewal, in milliseconds. */
  leaseMs?: number;
  observe?: ConsumerObserver;
}

const BATCH = 100;

/**
 * Handles every event once in effect, on one node at a time, in batches. The node that holds the lease continues at
 * the saved position; when that is no longer in the server's history it reads the events collection instead.
 */
export class Consumer {
  private readonly stored: Collection<DomainEvent>;
  private readonly streamed: Collection<DomainEvent>;
  private readonly types: string[];
  private readonly lease: Lease<ConsumerRow>;
  private readonly handler: EventHandler;
  private readonly leaseMs: number;
  private readonly log: Log;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private stream: EventStream | undefined;
  private leading = false;

  constructor(private readonly options: ConsumerOptions) {
    const { database, listeners, name, owner } = options;
    this.log = options.log.child({ consumer: name });
    this.leaseMs = options.leaseMs ?? 6_000;
    this.stored = database.collection(eventsCollection.name);
    this.streamed = database.streams.db(database.db.databaseName).collection(eventsCollection.name);
    // Kinds that nobody wants are filtered out by the server.
    this.types = [...new Set(listeners.flatMap((listener) => listener.types.map(({ type }) => type)))];
    this.lease = new Lease({
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
      // Where the database cannot be reached the lease runs out by itself.
      await this.lease.release().catch(() => undefined);
    }
  }

  private async consume(token: ResumeToken, lastEventId: ObjectId | undefined): Promise<void> {
    try {
      await this.follow(
        token === undefined
          ? await this.catchUp(lastEventId)
          : openStream(this.streamed, { types: this.types, resumeAfter: token }),
      );
    } catch (error) {
      if (!isHistoryLost(error)) throw error;
      this.log.warn({ err: error }, 'consumer: history is lost at the saved position; reading the events collection');
      this.options.observe?.historyLost();
      await this.follow(await this.catchUp(this.handler.lastEventId ?? lastEventId));
    }
  }

  /** Handles what is stored since the given event, and answers with a stream that misses nothing after it. */
  private async catchUp(lastEventId: ObjectId | undefined): Promise<EventStream> {
    // The stream is opened before the collection is read, so that nothing falls in between; what both hold is
    // handled twice, which listeners must bear.
    const stream = openStream(this.streamed, { types: this.types });
    const alreadyStreamed = await stream.tryNext();
    let count = 0;
    for await (const events of eventsSince(this.stored, lastEventId, this.types, BATCH)) {
      await this.handler.handle(events.map((event) => ({ event })));
      count += events.length;
      if (this.isStopping()) break;
    }
    if (alreadyStreamed)
      await this.handler.handle([{ event: alreadyStreamed.fullDocument, token: alreadyStreamed._id }]);
    if (count > 0) this.log.info({ count }, 'consumer: caught up');
    return stream;
  }

  private async follow(stream: EventStream): Promise<void> {
    this.stream = stream;
    for await (const batch of inBatches(stream, BATCH)) {
      await this.handler.handle(batch);
      if (this.isStopping()) return;
    }
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private wait(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
