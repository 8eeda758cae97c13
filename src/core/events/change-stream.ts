import {
  type ChangeStream,
  type ChangeStreamInsertDocument,
  type Collection,
  type Db,
  type Document,
  MongoServerError,
  type ResumeToken,
} from 'mongodb';
import { setTimeout as pause } from 'node:timers/promises';
import { type Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import { eventsCollection } from './collections.js';
import { type DomainEvent } from './event.js';
import { EventQueue, type StreamedEvent } from './event-queue.js';
import { type EventSource } from './source.js';

/** Thrown where the server cannot continue from a position: no retry will help. */
export class HistoryLost extends Error {
  constructor(cause: unknown) {
    super('the position is no longer in the history of the server', { cause });
    this.name = 'HistoryLost';
  }
}

// InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost.
const POSITION_IS_GONE = new Set<number | string | undefined>([260, 280, 286]);

/** Whether the server says in so many words that it cannot continue where the stream was. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof HistoryLost || (error instanceof MongoServerError && POSITION_IS_GONE.has(error.code));
}

type Change = ChangeStreamInsertDocument;

/** A stream of what was inserted; nothing is asked of the server yet. */
export interface EventStream {
  changes: ChangeStream<Document, Change>;
  eventOf(change: Change): DomainEvent;
  close(): Promise<void>;
}

export interface StreamOptions {
  /** What is an event beside the rows of `events`. */
  sources?: readonly EventSource[];
  /** Continue after this token; from now on where absent. */
  resumeAfter?: ResumeToken;
}

/**
 * All events in the order in which they were committed, from a connection that requests do not use. Every reader asks
 * for the same, so that a position of one is a position of any other.
 */
export function streamOf(database: Database, { sources = [], resumeAfter }: StreamOptions = {}): EventStream {
  const { name } = eventsCollection;
  const db = database.streams.db(database.db.databaseName);
  const project = { $project: { operationType: 1, ns: 1, fullDocument: 1 } };
  const options = { ...(resumeAfter !== undefined && { resumeAfter }) };
  const watch = (from: Db | Collection, which: Document) =>
    from.watch<Document, Change>([{ $match: { operationType: 'insert', ...which } }, project], options);
  const inserted = [{ 'ns.coll': name }, ...sources.map(({ collection }) => ({ 'ns.coll': collection }))];
  const changes = sources.length === 0 ? watch(db.collection(name), {}) : watch(db, { $or: inserted });
  const byCollection = new Map(sources.map((source) => [source.collection, source]));
  return {
    changes,
    eventOf: ({ ns, fullDocument }) =>
      byCollection.get(ns.coll)?.toEvent(fullDocument) ?? (fullDocument as DomainEvent),
    close: () => changes.close(),
  };
}

/** A stream that is open: it misses nothing any more. */
export interface OpenStream {
  /** Continues after everything that was read; unknown as long as something waits that was not. */
  readonly resumeToken: ResumeToken;
  /**
   * Reads in batches, once: whatever arrived while the last batch was handled comes together, at most `size`. After
   * `idleMs` without an event an empty batch says that everything up to the stream's own token has been read.
   * The stream is closed when the reader leaves the loop.
   * @throws HistoryLost, or whatever else ends the stream
   */
  batches(size: number, idleMs: number): AsyncGenerator<StreamedEvent[]>;
  close(): Promise<void>;
}

/** Where an answer came sooner than this after the one before, in milliseconds, more will follow as soon. */
const OFTEN_MS = 15;
/**
 * So long the reader then waits, in milliseconds, before it asks for the next: an answer costs the server and this
 * process more than what it brings, and what comes together costs one.
 */
const REST_MS = 5;
/** So many events are read ahead of whoever handles them: the most that anyone handles together. */
const READ_AHEAD = 5_000;

/**
 * Opens the stream on the server, and begins to read.
 * @param isResumed whether it continues after a token
 * @throws HistoryLost where the server refuses the token. A damaged one fails in the server's parser with any of
 *   dozens of codes, so what counts is not the code but that opening with a token was refused for good.
 */
export async function open(events: EventStream, isResumed: boolean): Promise<OpenStream> {
  const stream = events.changes;
  const queue = new EventQueue();
  let wakePump = (): void => undefined;
  stream.once('close', () => wakePump());
  // A position comes with the server's first answer, on a quiet stream too: there it is all that comes.
  const opened = new Promise<void>((resolve) => {
    stream.once('resumeTokenChanged', () => resolve());
    void queue.ended.then(resolve);
  });

  const pump = async (): Promise<void> => {
    let answeredAt = 0;
    try {
      for await (const change of stream) {
        queue.push({ event: events.eventOf(change), token: change._id });
        if (queue.length >= READ_AHEAD) {
          await new Promise<void>((resolve) => (wakePump = resolve));
        } else if (stream.resumeToken !== change._id) {
          // The last one of an answer: the stream stands behind it.
          if (performance.now() - answeredAt < OFTEN_MS) await pause(REST_MS);
          answeredAt = performance.now();
        }
      }
      queue.end();
    } catch (error) {
      queue.end(isHistoryLost(error) ? new HistoryLost(error) : (error as Error));
    }
  };
  void pump();
  await opened;
  const { failure } = queue;
  if (failure !== undefined) {
    if (isResumed && failure instanceof MongoServerError && !isDatabaseUnavailable(failure)) {
      throw new HistoryLost(failure);
    }
    throw failure;
  }

  return {
    get resumeToken() {
      return queue.length === 0 ? stream.resumeToken : undefined;
    },
    async *batches(size, idleMs) {
      try {
        yield* queue.batches(size, idleMs, () => wakePump());
      } finally {
        await stream.close();
      }
    },
    close: () => stream.close(),
  };
}
