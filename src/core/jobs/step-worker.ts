import { SpanKind } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Binary,
  type ClientSession,
  type Collection,
  type Filter,
  type ObjectId,
  type UpdateFilter,
} from 'mongodb';
import { type Clock, later } from '../clock.js';
import { type Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import { abortLeftOpen } from '../database/left-open.js';
import { type Log } from '../observability/log.js';
import { follow, type Traced } from '../observability/tracing.js';
import { FeedWorker, type FeedWorkerOptions } from './feed-worker.js';
import { lastingDelay } from './retry.js';

/** What every piece of work says of itself that is done in steps. */
export interface Stepwise extends Pick<Traced, 'traceparent'> {
  _id: ObjectId;
  /** When it is to be gone on with, or the end of a worker's claim. Absent when nothing is left to do. */
  nextAttemptAt?: Date | null;
  claim?: string | null;
  /** The server's name for the session that the claim's worker writes under. */
  session?: Binary;
  /** How often in a row its step has failed. */
  attempts?: number;
  /** How often in a row a claim on it ran out. */
  takenOver?: number;
}

/** What a step leaves of its piece of work: a change, which says where to go on, or nothing where that was all. */
export type Step<T extends Stepwise> = UpdateFilter<T> | 'done';

export interface StepWorkerOptions extends FeedWorkerOptions {
  database: Database;
  clock: Clock;
  /** Where the pieces of work are. */
  collection: string;
  /** How long a claim holds, in milliseconds: far longer than a step takes, but no longer than one may wait for it. */
  claimMs: number;
}

/** How long one waits for what a dead worker has locked, where it cannot be unlocked. */
const LOCKED_MS = 2_000;
/** A claim that keeps running out holds twice as long each time, so many times. */
const MOST_DOUBLINGS = 5;
/** After a step that is not the last one, the next is left for so many times as long as it took. */
const REST = 2;
const SHORTEST_REST_MS = 20;
/** All that is no part of the work itself. */
const FREE = { claim: 1, session: 1, attempts: 1, takenOver: 1 } as const;

/** Thrown to undo what was done of a piece of work that another worker has taken over. */
class ClaimLost extends Error {}

/**
 * Does pieces of work that are longer than one transaction: a step in each, together with the place that it has
 * reached, so that whoever takes over from a worker that died goes on exactly there. Those that are due take turns. One
 * whose step fails makes way for the others, for longer each time.
 *
 * Nobody else is to notice: after each step the worker rests, and so does the piece of work, or another worker would go
 * on with it.
 *
 * Claims are short and not renewed. Of two workers that do the same step one is undone, so that taking one over too
 * early does no harm; and a step that is slow gets twice the time with each claim that has run out on it.
 */
export abstract class StepWorker<T extends Stepwise> extends FeedWorker {
  private readonly database: Database;
  protected readonly clock: Clock;
  private readonly pieces: Collection<Stepwise>;
  private readonly claimMs: number;
  private readonly name: string;
  private readonly log: Log;
  private readonly stopped = new AbortController();

  constructor(options: StepWorkerOptions) {
    super(options);
    const { database, clock, collection, claimMs, name, log } = options;
    this.database = database;
    this.clock = clock;
    this.pieces = database.collection<Stepwise>(collection);
    this.claimMs = claimMs;
    this.name = name;
    this.log = log;
  }

  /** Finishes the step at hand. */
  override stop(): Promise<void> {
    this.stopped.abort();
    return super.stop();
  }

  /** How many pieces of work wait for another attempt because the last one failed. */
  failing(): Promise<number> {
    return this.pieces.countDocuments({ nextAttemptAt: { $exists: true }, attempts: { $gt: 0 } });
  }

  protected override async work(): Promise<number> {
    // First what nobody has in hand: what dead workers had may be locked.
    const piece = (await this.take()) ?? (await this.takeOver());
    if (!piece) return 0;
    try {
      const work = { name: `work ${this.name}`, kind: SpanKind.CONSUMER };
      const restMs = await follow([piece], work, () =>
        this.inTurn(piece as T, () => {
          const begun = performance.now();
          return this.database.inTransaction((session) => this.advance(session, piece, begun));
        }),
      );
      await this.rest(restMs);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      if (!(error instanceof ClaimLost)) await this.putOff(piece, error);
    }
    return 1;
  }

  /**
   * Does the next step within the transaction. It may be done twice at once; one of the two is then undone.
   * @returns what to write down of how far it has come
   */
  protected abstract step(session: ClientSession, piece: T): Promise<Step<T>>;

  /** Runs a step at once, unless this lets it wait for those that would be undone by it, or it by them. */
  protected inTurn<R>(_piece: T, step: () => Promise<R>): Promise<R> {
    return step();
  }

  /** Which of those that nobody has in hand are to be gone on with; by their `nextAttemptAt`. */
  protected get due(): Filter<T> {
    return { nextAttemptAt: { $lte: this.clock.now() } } as Filter<T>;
  }

  /** What is kept of a piece of work when all is done; unless this says so, nothing. */
  protected get whenDone(): UpdateFilter<T> | undefined {
    return undefined;
  }

  private take(): Promise<Stepwise | null> {
    return this.pieces.findOneAndUpdate(
      { claim: null, ...(this.due as Filter<Stepwise>) },
      { $set: this.claimFor(0) },
      { sort: { nextAttemptAt: 1 }, returnDocument: 'after' },
    );
  }

  /** Takes up what a worker had in hand that has died, with what it has left open in the database. */
  private async takeOver(): Promise<Stepwise | null> {
    const isDue = { claim: { $gt: '' }, nextAttemptAt: { $lte: this.clock.now() } };
    const left = await this.pieces.findOne(isDue, { sort: { nextAttemptAt: 1 } });
    if (!left) return null;
    if (left.session) await abortLeftOpen(this.database.db, left.session);
    const { _id, claim, takenOver = 0 } = left;
    return this.pieces.findOneAndUpdate(
      { _id, ...(claim != null && { claim }) },
      { $set: this.claimFor(takenOver + 1), $unset: { session: 1 } },
      { returnDocument: 'after', maxTimeMS: LOCKED_MS },
    );
  }

  private claimFor(takenOver: number) {
    const nextAttemptAt = later(this.clock.now(), this.claimMs * 2 ** Math.min(takenOver, MOST_DOUBLINGS));
    return { claim: randomUUID(), nextAttemptAt, takenOver };
  }

  /** It is due again by then, if only just. */
  private rest(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    const { signal } = this.stopped;
    return pause(milliseconds + SHORTEST_REST_MS, undefined, { signal }).catch(() => undefined);
  }

  /** Answers with how long to rest, in milliseconds. */
  private async advance(session: ClientSession, piece: Stepwise, begun: number): Promise<number> {
    const mine = { _id: piece._id, ...(piece.claim != null && { claim: piece.claim }) };
    // Beside the transaction, and before it has begun: it says which one to end if this worker dies within it.
    if (session.id) await this.pieces.updateOne(mine, { $set: { session: session.id.id } });
    const outcome = await this.step(session, piece as T);
    const [keep, isDone] = outcome === 'done' ? [this.whenDone, true] : [outcome, false];
    if (!keep) {
      const { deletedCount } = await this.pieces.deleteOne(mine, { session });
      if (deletedCount === 0) throw new ClaimLost();
      return 0;
    }
    const restMs = isDone ? 0 : Math.ceil(REST * (performance.now() - begun));
    const { $set, $unset } = keep as UpdateFilter<Stepwise>;
    const { matchedCount } = await this.pieces.updateOne(
      mine,
      {
        $set: { ...$set, ...(!isDone && { nextAttemptAt: later(this.clock.now(), restMs) }) },
        $unset: { ...$unset, ...FREE, ...(isDone && { nextAttemptAt: 1 as const }) },
      },
      { session },
    );
    if (matchedCount === 0) throw new ClaimLost();
    return restMs;
  }

  private async putOff({ _id, claim, attempts = 0 }: Stepwise, error: unknown): Promise<void> {
    const failed = attempts + 1;
    const nextAttemptAt = later(this.clock.now(), lastingDelay(failed));
    const { name: worker } = this;
    this.log.error({ err: error, worker, id: _id, attempts: failed, nextAttemptAt }, 'work: a step failed');
    await this.pieces.updateOne(
      { _id, ...(claim != null && { claim }) },
      { $set: { attempts: failed, nextAttemptAt }, $unset: { claim: 1, session: 1, takenOver: 1 } },
    );
  }
}
