import { randomBytes } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { systemClock } from '../../src/core/clock.js';
import { type CollectionDefinition } from '../../src/core/database/collections.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { eventCollections } from '../../src/core/events/collections.js';
import { Consumer, type ConsumerOptions } from '../../src/core/events/consumer.js';
import { defineEvent, type DomainEvent, type EventType } from '../../src/core/events/event.js';
import { Feed, type FeedOptions } from '../../src/core/events/feed.js';
import { type Listener } from '../../src/core/events/listener.js';
import { Outbox } from '../../src/core/events/outbox.js';
import { shape, text } from '../../src/core/http/schema.js';
import { serverUri } from './databases.js';
import { until } from './until.js';

/** The kind of event that the lab's listener wants, and one that it does not. */
export const noted = defineEvent('test.noted', shape({ text: text() }));
export const whispered = defineEvent('test.whispered', shape({ text: text() }));

/** Whoever reads a change stream asks again each second; so much later nobody does, in milliseconds. */
const READ_AGAIN_MS = 5_000;

/** Throws what a test wants thrown at an event, or nothing. */
export type Trouble = (text: string) => void | Promise<void>;

interface Told {
  _id: ObjectId;
  order: ObjectId;
  text: string;
}

/** The address of a new database on the tests' server. */
export function freshUri(): string {
  const uri = new URL(serverUri());
  uri.pathname = `/test-${randomBytes(6).toString('hex')}`;
  return uri.href;
}

/** A database of a test's own with nothing but events, and consumers that write down what they are told. */
export class EventLab {
  readonly log: Record<string, unknown>[] = [];
  readonly counted = { handled: 0, setAside: 0, historyLost: 0 };
  readonly outbox: Outbox;
  readonly logger = pino(
    { level: 'info' },
    { write: (line: string) => void this.log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  private readonly consumers: Consumer[] = [];
  private readonly feeds: Feed[] = [];

  private constructor(
    readonly uri: string,
    readonly database: Database,
  ) {
    this.outbox = new Outbox({ database, clock: systemClock, validate: true });
  }

  static async open(more: CollectionDefinition[] = []): Promise<EventLab> {
    const uri = freshUri();
    const database = await connectDatabase(uri);
    const lab = new EventLab(uri, database);
    const collections = [...eventCollections, { name: 'told', indexes: [] }, ...more];
    await migrate({ database, owner: 'lab', collections, migrations: [], log: lab.logger });
    return lab;
  }

  get events() {
    return this.database.collection<DomainEvent>('events');
  }

  get row() {
    return this.database.collection<{ _id: string; token?: unknown }>('consumers');
  }

  /** Starts a consumer of `test.noted`. */
  consume(trouble: Trouble = () => undefined, choices: Partial<ConsumerOptions> = {}): Consumer {
    const { database, counted } = this;
    const consumer = new Consumer({
      name: 'lab',
      owner: `owner-${randomBytes(3).toString('hex')}`,
      database,
      listeners: [this.listener(trouble)],
      log: this.logger,
      leaseMs: 1_500,
      observe: {
        handled: (events) => void (counted.handled += events),
        setAside: () => void (counted.setAside += 1),
        historyLost: () => void (counted.historyLost += 1),
      },
      ...choices,
    });
    this.consumers.push(consumer);
    consumer.start();
    return consumer;
  }

  async feed(choices: Partial<FeedOptions> = {}): Promise<Feed> {
    const { database, outbox, logger: log } = this;
    const feed = new Feed({ database, outbox, clock: systemClock, log, ...choices });
    this.feeds.push(feed);
    await feed.start();
    return feed;
  }

  /** How many change streams on the lab's database are read. */
  async openStreams(): Promise<number> {
    const { streams, db } = this.database;
    // One that was closed while the server was busy may stay there until it runs out, though nobody asks for more of it.
    const isRead = { 'cursor.lastAccessDate': { $gte: new Date(Date.now() - READ_AGAIN_MS) } };
    const cursors = await streams
      .db('admin')
      .aggregate([
        { $currentOp: { idleCursors: true, localOps: true } },
        { $match: { ns: { $regex: `^${db.databaseName}\\.` }, 'cursor.tailable': true, ...isRead } },
      ])
      .toArray();
    return cursors.length;
  }

  /** Records an event for each text, each in a transaction of its own, in this order. */
  async note(...texts: string[]): Promise<void> {
    for (const each of texts) await this.record(noted, each);
  }

  async record(type: EventType<{ text: string }>, value: string): Promise<void> {
    await this.database.inTransaction((session) =>
      this.outbox.record(session, type, { entity: { kind: 'note', id: value }, data: { text: value } }),
    );
  }

  /** What consumers have been told, in the order in which they were first told it. */
  async told(): Promise<string[]> {
    const rows = await this.database.collection<Told>('told').find().sort({ order: 1 }).toArray();
    return rows.map((row) => row.text);
  }

  /** Waits until the text has been told, and answers with all that has been. */
  toldOf(last: string): Promise<string[]> {
    return until(
      () => this.told(),
      (texts) => texts.includes(last),
    );
  }

  /** Waits for a line of the log. */
  async logged(message: string, count = 1): Promise<void> {
    await until(() => this.log.filter(({ msg }) => String(msg).includes(message)).length >= count);
  }

  async close(): Promise<void> {
    for (const each of [...this.consumers, ...this.feeds]) await each.stop();
    const client = await MongoClient.connect(this.uri);
    await client.db().dropDatabase();
    await client.close();
    await this.database.close();
  }

  private listener(trouble: Trouble): Listener {
    const rows = this.database.collection<Told>('told');
    return {
      name: 'writes down',
      types: [noted],
      async handle(events, session) {
        for (const { _id, data } of events as DomainEvent<{ text: string }>[]) {
          await trouble(data.text);
          const first = { order: new ObjectId(), text: data.text };
          await rows.updateOne({ _id }, { $setOnInsert: first }, { upsert: true, session });
        }
      },
    };
  }
}
