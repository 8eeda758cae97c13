import { type ClientSession, type Collection } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Step, StepWorker } from '../../../core/jobs/step-worker.js';
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

/** Withdraws what was told about something that is gone, a page in a transaction. */
export class EndingWorker extends StepWorker<Ending> {
  private readonly notifications: Collection<Notification>;
  private readonly withdrawals: Withdrawals;

  constructor({ withdrawals, ...options }: EndingWorkerOptions) {
    super({ name: 'endings', wokenBy: [notificationsEnding], collection: endingCollection.name, ...options });
    this.notifications = options.database.collection('notifications');
    this.withdrawals = withdrawals;
  }

  /** The oldest first: the newest of a line, which shows it for all, goes last and need not be succeeded. */
  protected override async step(session: ClientSession, { _id, about, userId, after }: Ending): Promise<Step<Ending>> {
    const page = await this.notifications
      .find({ about, ...(userId && { userId }), ...(after && { _id: { $gt: after } }) }, { session })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray();
    await this.withdrawals.takeBack(
      session,
      page.filter(({ withdrawn }) => !withdrawn).map((notification) => ({ notification, eventId: _id })),
    );
    const last = page.at(-1);
    return !last || page.length < PAGE ? 'done' : { $set: { after: last._id } };
  }
}
