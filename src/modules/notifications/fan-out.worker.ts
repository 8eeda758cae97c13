import { type ClientSession, type UpdateFilter } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Step, StepWorker } from '../../core/jobs/step-worker.js';
import { type Log } from '../../core/observability/log.js';
import { SerialByKey } from '../../core/serial.js';
import { notificationRequested } from './notification.events.js';
import { type Batch } from './notification.model.js';
import { type Channel } from './notification.types.js';
import { type NotificationWriter } from './notification.writer.js';

export interface FanOutOptions {
  database: Database;
  clock: Clock;
  writer: NotificationWriter;
  claimMs: number;
  log: Log;
}

/**
 * Writes the notifications of batches that are due, each in one step. It works beside the reactor, so that a large batch
 * delays nobody's reaction.
 */
export class FanOutWorker extends StepWorker<Batch> {
  private readonly writer: NotificationWriter;
  private readonly perRecipient = new SerialByKey();

  constructor({ writer, ...options }: FanOutOptions) {
    super({
      ...{ name: 'fan out', concurrency: 4, wokenBy: [notificationRequested], collection: 'notificationBatches' },
      ...options,
    });
    this.writer = writer;
  }

  protected override get whenDone(): UpdateFilter<Batch> {
    return { $set: { status: 'done' } };
  }

  /** Two batches for the same user count in the same inbox: of two transactions at once one would begin again, and again. */
  protected override inTurn<R>({ userIds }: Batch, step: () => Promise<R>): Promise<R> {
    return this.perRecipient.runAll(
      userIds.map((id) => id.toHexString()),
      step,
    );
  }

  protected override async step(session: ClientSession, batch: Batch): Promise<Step<Batch>> {
    const batchId = batch._id.toHexString();
    await this.writer.write(
      session,
      batch.userIds.map((userId) => ({
        userId: userId.toHexString(),
        type: 'SYSTEM',
        actorId: undefined,
        entity: { kind: 'notificationBatch', id: batchId },
        deepLink: '/notifications',
        dedupeKey: `batch:${batchId}`,
        groupKey: `batch:${batchId}`,
        data: {},
        channels: batch.channels as Channel[],
        batchId: batch._id,
        text: () => ({ title: batch.title, body: batch.body }),
      })),
    );
    return 'done';
  }
}
