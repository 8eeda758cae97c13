import { type DomainEvent, isEvent } from '../../../core/events/event.js';
import { type FeedSubscriber } from '../../../core/events/feed.js';
import { WorkLoop } from '../../../core/jobs/work-loop.js';
import { type Log } from '../../../core/observability/log.js';
import { follow } from '../../../core/observability/tracing.js';
import { anyPending, deliveriesRecorded, notificationsCreated } from '../notification.events.js';
import { type Notification } from '../notification.model.js';
import { type ChannelSender, type Known } from './channel-sender.js';
import { type ClaimedBatch, type DeliveryQueue } from './delivery-queue.js';
import { type Outcome, type Settle } from './outcome.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { TracedAttempts } from './traced-attempts.js';

export interface ChannelWorkerOptions {
  queue: DeliveryQueue;
  sender: ChannelSender;
  /** What becomes of those that are not to be sent after all, by id: asked before anything is sent. */
  reconsider: (notifications: Notification[]) => Promise<Map<string, Outcome>>;
  /** How often a claim is renewed while its batch is being sent, in milliseconds. */
  renewMs: number;
  log: Log;
  /** Told how long each delivery took from the notification's creation, in milliseconds. */
  observe?: (outcome: Outcome, sinceCreationMs: number) => void;
}

/** Every attempt killed its worker: nothing is gained by killing more of them. */
const MOST_CLAIMS = 10;
const RECORDING = { name: 'record outcomes' };

/** Claims what is due on one channel, has it sent, and records how it ended as that becomes known. */
export class ChannelWorker implements FeedSubscriber {
  private readonly loop: WorkLoop;
  private readonly releasing: WorkLoop;
  private alarm: NodeJS.Timeout | undefined;
  private bulkAtHand = 0;
  /** What was handed to it directly, as long as it is at that: as much at once as it looks for by itself. */
  private readonly handed = new Set<Promise<unknown>>();
  private stopped = false;

  constructor(private readonly options: ChannelWorkerOptions) {
    const { sender, log } = options;
    const { channel, concurrency } = sender;
    this.loop = new WorkLoop({ name: `deliver ${channel}`, concurrency, work: () => this.work(), log });
    this.releasing = new WorkLoop({ name: `release ${channel}`, concurrency: 1, work: () => this.release(), log });
  }

  /** What was written for this channel, or put back to be sent, is taken up at once, without waiting for a poll. */
  onEvents(events: DomainEvent[]): void {
    const { channel } = this.options.sender;
    const concerns = events.some(
      (event) =>
        (isEvent(event, notificationsCreated) && anyPending(event.data, channel)) ||
        (isEvent(event, deliveriesRecorded) &&
          event.data.channel === channel &&
          event.data.items.some(({ status }) => status === 'pending')),
    );
    if (concerns) this.loop.wake();
  }

  onGap(): void {
    this.wake();
  }

  /** Sends whatever is due, and what dead workers have left; returns at once. */
  wake(): void {
    this.releasing.wake();
    this.loop.wake();
  }

  /**
   * Claims of these, which are due at once and about to be written in the caller's transaction, as many as it has a hand
   * free for. The others are for whoever looks first.
   * @param known what was read to decide about them
   * @returns what it has claimed, and what begins with that: to be called once it is committed
   */
  claimNew(notifications: Notification[], known: Known): { claimed: Notification[]; begin: () => void } | undefined {
    const { queue, sender } = this.options;
    const isFree = !this.stopped && this.handed.size < sender.concurrency;
    const most = isFree ? Math.min(sender.batchSize, sender.room().most) : 0;
    if (most === 0 || notifications.length === 0) return undefined;
    const batch = queue.claimNew(notifications.slice(0, most));
    return { claimed: batch.notifications, begin: () => this.takeInHand(batch, known) };
  }

  /** Finishes what it has in hand. Whoever hands it something directly is to stop before. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.alarm);
    this.options.sender.hurry();
    await Promise.all([this.loop.stop(), this.releasing.stop(), ...this.handed]);
    await this.options.sender.close();
  }

  /** What dead workers have left is taken up like anything else. */
  private async release(): Promise<number> {
    const released = await this.options.queue.release();
    if (released > 0) this.loop.wake();
    return released;
  }

  private async work(): Promise<number> {
    const { queue, sender } = this.options;
    const room = sender.room();
    if (room.most === 0) {
      this.wakeIn(room.againMs);
      return 0;
    }
    const { batchSize, bulkSize = batchSize } = sender;
    const usual = await queue.claim(Math.min(batchSize, room.most));
    return (await this.deliver(usual)) || this.deliverBulk(Math.min(bulkSize, room.most));
  }

  /**
   * What is one of very many waits while anything else is due, and is never in all hands at once: whatever else comes
   * finds one free.
   */
  private async deliverBulk(most: number): Promise<number> {
    const { queue, sender } = this.options;
    if (this.bulkAtHand >= Math.max(1, sender.concurrency - 1)) return 0;
    this.bulkAtHand += 1;
    try {
      return await this.deliver(await queue.claim(most, 'bulk'));
    } finally {
      this.bulkAtHand -= 1;
    }
  }

  private takeInHand(batch: ClaimedBatch, known: Known): void {
    const { log, sender } = this.options;
    const work: Promise<unknown> = this.deliver(batch, known)
      .catch((error: unknown) => log.warn({ err: error, channel: sender.channel }, 'delivery: a batch failed'))
      .finally(() => this.handed.delete(work));
    this.handed.add(work);
  }

  private async deliver(batch: ClaimedBatch, known?: Known): Promise<number> {
    const { queue, renewMs, log, sender } = this.options;
    if (batch.notifications.length === 0) return 0;
    const renewal = setInterval(() => {
      queue.renew(batch).catch((error: unknown) => log.warn({ err: error }, 'delivery: a claim could not be renewed'));
    }, renewMs);
    const traced = new TracedAttempts(sender.channel);
    const recorder = new OutcomeRecorder((outcomes) =>
      follow(traced.among(outcomes.keys()), RECORDING, () => queue.record(batch, outcomes)),
    );
    try {
      const settle: Settle = (id, outcome) => {
        traced.end(id, outcome);
        recorder.settle(id, outcome);
      };
      await this.send(traced.begin(batch.notifications), settle, known);
    } finally {
      // What has been answered is recorded, whatever became of the rest.
      await recorder.done().finally(() => clearInterval(renewal));
    }
    return batch.notifications.length;
  }

  private async send(notifications: Notification[], settle: Settle, known?: Known): Promise<void> {
    const { sender, reconsider, observe } = this.options;
    const byId = new Map(notifications.map((each) => [each._id.toHexString(), each]));
    const deliveryOf = (each: Notification) => each.channels[sender.channel];
    const isHopeless = (each: Notification): boolean => (deliveryOf(each)?.attempts ?? 0) > MOST_CLAIMS;
    for (const { _id } of notifications.filter(isHopeless)) {
      settle(_id.toHexString(), { kind: 'dead', error: 'WORKER_DIED_EACH_TIME' });
    }
    const hopeful = notifications.filter((each) => !isHopeless(each));
    const settled = await reconsider(hopeful);
    for (const [id, outcome] of settled) settle(id, outcome);
    await sender.send(
      hopeful.filter(({ _id }) => !settled.has(_id.toHexString())),
      (id, outcome) => {
        settle(id, outcome);
        if (outcome.kind === 'untried') this.wakeIn(outcome.afterMs);
        const notification = byId.get(id);
        // What was meant to wait says nothing of how quick deliveries are.
        if (!notification || deliveryOf(notification)?.reason != null) return;
        observe?.(outcome, Date.now() - notification.createdAt.getTime());
      },
      known,
    );
  }

  /** Looks again then, without waiting for a sweep; if something is still in the way, that is found out then. */
  private wakeIn(milliseconds: number): void {
    if (this.stopped) return;
    this.alarm ??= setTimeout(() => {
      this.alarm = undefined;
      this.loop.wake();
    }, milliseconds);
  }
}
