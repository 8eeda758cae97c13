import { type DomainEvent, isEvent } from '../../../core/events/event.js';
import { type FeedSubscriber } from '../../../core/events/feed.js';
import { WorkLoop } from '../../../core/jobs/work-loop.js';
import { type Log } from '../../../core/observability/log.js';
import { anyPending, notificationsCreated } from '../notification.events.js';
import { type Notification } from '../notification.model.js';
import { type ChannelSender } from './channel-sender.js';
import { type ClaimedBatch, type DeliveryQueue } from './delivery-queue.js';
import { type Outcome } from './outcome.js';

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

/** Claims what is due on one channel, has it sent, and records how it ended. */
export class ChannelWorker implements FeedSubscriber {
  private readonly loop: WorkLoop;

  constructor(private readonly options: ChannelWorkerOptions) {
    const { sender, log } = options;
    this.loop = new WorkLoop({
      name: `deliver ${sender.channel}`,
      concurrency: sender.concurrency,
      work: () => this.work(),
      log,
    });
  }

  /** What was written for this channel is taken up at once, without waiting for a poll. */
  onEvents(events: DomainEvent[]): void {
    const { channel } = this.options.sender;
    const concerns = events.some((event) => isEvent(event, notificationsCreated) && anyPending(event.data, channel));
    if (concerns) this.loop.wake();
  }

  onGap(): void {
    this.wake();
  }

  /** Sends whatever is due; returns at once. */
  wake(): void {
    this.loop.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.options.sender.close();
  }

  private async work(): Promise<number> {
    const { queue, sender, renewMs, log } = this.options;
    const batch = await queue.claim(sender.batchSize);
    if (batch.notifications.length === 0) return 0;
    const renewal = setInterval(() => {
      queue.renew(batch).catch((error: unknown) => log.warn({ err: error }, 'delivery: a claim could not be renewed'));
    }, renewMs);
    try {
      await queue.record(batch, await this.outcomes(batch));
    } finally {
      clearInterval(renewal);
    }
    return batch.notifications.length;
  }

  private async outcomes({ notifications }: ClaimedBatch): Promise<Map<string, Outcome>> {
    const { sender, reconsider, observe } = this.options;
    const deliveryOf = (each: Notification) => each.channels[sender.channel];
    const isHopeless = (each: Notification): boolean => (deliveryOf(each)?.attempts ?? 0) > MOST_CLAIMS;
    const hopeful = notifications.filter((each) => !isHopeless(each));
    const settled = await reconsider(hopeful);
    const outcomes = await sender.send(hopeful.filter(({ _id }) => !settled.has(_id.toHexString())));
    for (const { _id } of notifications.filter(isHopeless)) {
      outcomes.set(_id.toHexString(), { kind: 'dead', error: 'WORKER_DIED_EACH_TIME' });
    }
    for (const each of notifications) {
      const outcome = outcomes.get(each._id.toHexString());
      // What was meant to wait says nothing of how quick deliveries are.
      const hasWaited = deliveryOf(each)?.reason != null;
      if (outcome && !hasWaited) observe?.(outcome, Date.now() - each.createdAt.getTime());
    }
    return new Map([...outcomes, ...settled]);
  }
}
