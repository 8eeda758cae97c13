import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection } from 'mongodb';
import { type Clock, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { FeedWorker } from '../../../core/jobs/feed-worker.js';
import { type Log } from '../../../core/observability/log.js';
import { notificationsEnding } from '../notification.events.js';
import { type Notification } from '../notification.model.js';
import { type Withdrawals } from '../withdrawals.js';
import { type Ending, endingCollection } from './ending.model.js';

/** Withdrawn in one transaction. */
const PAGE = 200;

export interface EndingWorkerOptions {
  database: Database;
  clock: Clock;
  withdrawals: Withdrawals;
  claimMs: number;
  log: Log;
}

/**
 * Withdraws what was told about something that is gone, a page in a transaction with the place that it has reached:
 * whoever takes over from a worker that died goes on exactly there.
 */
export class EndingWorker extends FeedWorker {
  private readonly endings: Collection<Ending>;
  private readonly notifications: Collection<Notification>;

  constructor(private readonly options: EndingWorkerOptions) {
    const { database, log } = options;
    super({ name: 'endings', wokenBy: [notificationsEnding], log });
    this.endings = database.collection(endingCollection.name);
    this.notifications = database.collection('notifications');
  }

  protected override async work(): Promise<number> {
    const { clock, claimMs, database } = this.options;
    const now = clock.now();
    const claim = randomUUID();
    const ending = await this.endings.findOneAndUpdate(
      { nextAttemptAt: { $lte: now } },
      { $set: { claim, nextAttemptAt: later(now, claimMs) } },
      { sort: { nextAttemptAt: 1 }, returnDocument: 'after' },
    );
    if (!ending) return 0;
    await database.inTransaction((session) => this.withdrawPage(session, ending, claim));
    return 1;
  }

  /** The oldest first: the newest of a line, which shows it for all, goes last and need not be succeeded. */
  private async withdrawPage(session: ClientSession, { _id, about, after }: Ending, claim: string): Promise<void> {
    const { withdrawals, clock } = this.options;
    const page = await this.notifications
      .find({ about, ...(after && { _id: { $gt: after } }) }, { session })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray();
    const last = page.at(-1);
    const isOver = !last || page.length < PAGE;
    const mine = { _id, claim };
    const held = isOver
      ? (await this.endings.deleteOne(mine, { session })).deletedCount
      : (
          await this.endings.updateOne(
            mine,
            { $set: { after: last._id, nextAttemptAt: clock.now() }, $unset: { claim: 1 } },
            { session },
          )
        ).matchedCount;
    // Another worker took it over.
    if (held === 0) return;
    await withdrawals.takeBack(
      session,
      page.filter(({ withdrawn }) => !withdrawn).map((notification) => ({ notification, eventId: _id })),
    );
  }
}
