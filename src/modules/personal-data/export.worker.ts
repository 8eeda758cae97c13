import { randomUUID } from 'node:crypto';
import { type Collection } from 'mongodb';
import { type Clock, DAY, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { retryDelay } from '../../core/jobs/retry.js';
import { FeedWorker } from '../../core/jobs/feed-worker.js';
import { type Log } from '../../core/observability/log.js';
import { type PersonalData } from '../../core/personal-data.js';
import { type Storage } from '../../core/storage/storage.js';
import { archiveOf } from './archive.js';
import { exportReady, exportRequested } from './export.events.js';
import { type Export, exportCollection } from './export.model.js';
import { whileRenewing } from './renewal.js';

/** How long an export can be downloaded. */
const KEPT_MS = 7 * DAY;

export interface ExportWorkerOptions {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  storage: Storage;
  contributors: readonly PersonalData[];
  /** How long a claim holds without renewal, in milliseconds. */
  claimMs: number;
  log: Log;
}

/**
 * Makes the exports that are due, and removes the files of those that have expired. A worker that dies leaves a claim
 * that runs out; the next one removes what it may have left and makes the export anew.
 */
export class ExportWorker extends FeedWorker {
  private readonly exports: Collection<Export>;

  constructor(private readonly options: ExportWorkerOptions) {
    super({ name: 'export', wokenBy: [exportRequested], log: options.log });
    this.exports = options.database.collection(exportCollection.name);
  }

  protected override async work(): Promise<number> {
    const { clock, claimMs, storage } = this.options;
    const now = clock.now();
    const before = await this.exports.findOneAndUpdate(
      { nextAttemptAt: { $lte: now } },
      { $set: { claim: randomUUID(), nextAttemptAt: later(now, claimMs) }, $inc: { attempts: 1 } },
      { sort: { nextAttemptAt: 1 }, returnDocument: 'after' },
    );
    if (!before) return 0;
    // Of an earlier attempt, or of an export that has expired.
    if (before.file !== undefined) await storage.remove(before.file);
    if (before.status === 'ready') await this.expire(before);
    else await this.make(before);
    return 1;
  }

  private async expire({ _id, claim }: Export): Promise<void> {
    await this.exports.updateOne(held(_id, claim), {
      $set: { status: 'expired' },
      $unset: { nextAttemptAt: 1, claim: 1, file: 1, size: 1 },
    });
  }

  private async make(claimed: Export): Promise<void> {
    const { claimMs, clock, log } = this.options;
    const { _id, claim } = claimed;
    const renew = async (): Promise<void> => {
      await this.exports.updateOne(held(_id, claim), { $set: { nextAttemptAt: later(clock.now(), claimMs) } });
    };
    try {
      await whileRenewing(() => this.build(claimed), { renew, everyMs: claimMs / 3, log });
    } catch (error) {
      const delay = retryDelay(claimed.attempts);
      log.error({ err: error, exportId: _id }, 'exports: one could not be made');
      await this.exports.updateOne(
        held(_id, claim),
        delay === undefined
          ? { $set: { status: 'failed' }, $unset: { nextAttemptAt: 1, claim: 1 } }
          : { $set: { nextAttemptAt: later(clock.now(), delay) } },
      );
    }
  }

  private async build({ _id, claim, userId }: Export): Promise<void> {
    const { contributors, storage, clock, database, outbox } = this.options;
    const [owner, exportId] = [userId.toHexString(), _id.toHexString()];
    const archive = await archiveOf(owner, contributors, clock.now());
    const file = `${owner}/exports/${exportId}-${randomUUID()}.zip`;
    const { matchedCount } = await this.exports.updateOne(held(_id, claim), { $set: { file } });
    // Another worker took it over, or the user is being erased.
    if (matchedCount === 0) return;
    await storage.put(file, archive);
    const isReady = await database.inTransaction(async (session) => {
      const readyAt = clock.now();
      const expiresAt = later(readyAt, KEPT_MS);
      const { modifiedCount } = await this.exports.updateOne(
        held(_id, claim),
        {
          $set: { status: 'ready', size: archive.length, readyAt, expiresAt, nextAttemptAt: expiresAt },
          $unset: { claim: 1 },
        },
        { session },
      );
      if (modifiedCount === 0) return false;
      await outbox.record(session, exportReady, {
        entity: { kind: 'export', id: exportId },
        audience: { userIds: [owner] },
        data: { userId: owner, exportId },
      });
      return true;
    });
    if (!isReady) await storage.remove(file);
  }
}

function held(_id: Export['_id'], claim: string | undefined) {
  return { _id, claim: claim ?? '' };
}
