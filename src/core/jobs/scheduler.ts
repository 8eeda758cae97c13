import { MongoBackend } from '@agendajs/mongo-backend';
import { Agenda } from 'agenda';
import { type Document } from 'mongodb';
import { type Database } from '../database/database.js';
import { isDuplicateKey } from '../database/errors.js';
import { type Log } from '../observability/log.js';
import { agendaJobsCollection, agendaLogsCollection, deadJobsCollection } from './collections.js';
import { type JobDefinition } from './job.js';
import { retryDelay } from './retry.js';

export interface SchedulerOptions {
  database: Database;
  /** Names this process among all. */
  owner: string;
  jobs: readonly JobDefinition[];
  log: Log;
  /** How often due jobs are looked for, in milliseconds. */
  pollMs?: number;
}

/** The clock of background work: runs each job when it is due, on one of the workers. */
export class Scheduler {
  private readonly agenda: Agenda;
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly options: SchedulerOptions) {
    const { database, owner, jobs, log } = options;
    this.agenda = new Agenda({
      backend: new MongoBackend({
        mongo: database.db,
        collection: agendaJobsCollection.name,
        logCollection: agendaLogsCollection.name,
        ensureIndex: false,
      }),
      name: owner,
      processEvery: options.pollMs ?? 5_000,
      removeOnComplete: true,
    });
    this.agenda.on('error', (error) => log.warn({ err: error }, 'jobs: the scheduler met an error'));
    for (const job of jobs) {
      this.agenda.define<unknown>(job.name, ({ attrs }) => this.track(job.run(attrs.data)), {
        concurrency: job.concurrency,
        // Without a limit one node would lock everything that is due.
        lockLimit: job.concurrency,
        lockLifetime: job.lockMs,
        backoff: ({ attempt }) => retryDelay(attempt) ?? null,
      });
      this.agenda.on(`fail:${job.name}`, (error: Error | string) => {
        log.error({ err: error, job: job.name }, 'jobs: a run failed');
      });
    }
  }

  /** Begins to run what is due, and sees to it that every recurring job is scheduled. */
  async start(): Promise<void> {
    await this.agenda.start();
    for (const { name, everyMs } of this.options.jobs) if (everyMs !== undefined) await this.recur(name, everyMs);
  }

  /** Takes no more work, waits for what is running and gives the other locks back. */
  async stop(): Promise<void> {
    // Agenda would also unlock what is running: a second worker would start it beside the first.
    await Promise.allSettled(this.running);
    await this.agenda.stop(false);
    await Promise.allSettled(this.running);
  }

  /** Runs a job once at the given time. */
  async schedule(name: string, at: Date, data: unknown): Promise<void> {
    await this.agenda.schedule(at, name, data);
  }

  /** Milliseconds since a recurring job last ended anywhere, by this machine's clock; `undefined` before the first. */
  async sinceLastRun(): Promise<number | undefined> {
    const last = await this.jobs().findOne(
      { repeatInterval: { $type: 'string' }, lastFinishedAt: { $type: 'date' } },
      { sort: { lastFinishedAt: -1 }, projection: { lastFinishedAt: 1 } },
    );
    return last ? Date.now() - (last['lastFinishedAt'] as Date).getTime() : undefined;
  }

  /** Moves jobs that failed on every attempt to the dead letters; answers with how many. */
  async buryExhausted(): Promise<number> {
    const exhausted = await this.jobs()
      .find({ nextRunAt: null, lockedAt: null, failedAt: { $type: 'date' }, repeatInterval: null })
      .limit(500)
      .toArray();
    for (const job of exhausted) {
      await this.options.database.inTransaction(async (session) => {
        const { _id } = job;
        await this.options.database
          .collection(deadJobsCollection.name)
          .updateOne({ _id }, { $setOnInsert: { ...job, diedAt: new Date() } }, { upsert: true, session });
        await this.jobs().deleteOne({ _id }, { session });
      });
    }
    return exhausted.length;
  }

  /**
   * Agenda's own `every()` would clear the lock of a run in progress and enable a disabled job at every start; this
   * only inserts, and corrects the interval where a new version changed it.
   */
  private async recur(name: string, everyMs: number): Promise<void> {
    // A bare number is milliseconds to Agenda; in "1000 milliseconds" it would read a thousand seconds.
    const interval = String(everyMs);
    try {
      await this.agenda
        .create(name)
        .repeatEvery(interval)
        .unique({ repeatInterval: { $type: 'string' } }, { insertOnly: true })
        .save();
    } catch (error) {
      // Another node inserted it first.
      if (!isDuplicateKey(error)) throw error;
    }
    await this.jobs().updateOne(
      { name, repeatInterval: { $type: 'string', $ne: interval } },
      // The next run was reckoned with the old interval.
      { $set: { repeatInterval: interval, nextRunAt: new Date() } },
    );
  }

  private async track(run: Promise<void>): Promise<void> {
    this.running.add(run);
    try {
      await run;
    } finally {
      this.running.delete(run);
    }
  }

  private jobs() {
    return this.options.database.collection<Document>(agendaJobsCollection.name);
  }
}
