import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, type Filter } from 'mongodb';
import pLimit from 'p-limit';
import { type Clock, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury } from '../dead-letters/bury.js';
import { type Digests } from '../digests/digests.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type DeliveryStatus, type OutsideChannel } from '../notification.types.js';
import { type Outcome, transition } from './outcome.js';
import { type ChangedDelivery, tellDeliveries } from './tell-deliveries.js';

/** Notifications that this worker, and no other, is to send now. */
export interface ClaimedBatch {
  claim: string;
  notifications: Notification[];
}

const TO_BE_SENT: DeliveryStatus[] = ['pending', 'failed', 'sending'];
/** How long one waits for what a dead worker has locked. */
const LOCKED_MS = 2_000;

interface Ended {
  notification: Notification;
  outcome: Outcome;
  was: DeliveryStatus;
  next: Delivery;
}

/** What is one of very many waits in a lane of its own, so that nothing else stands behind it. */
export type Lane = 'usual' | 'bulk';

export interface DeliveryQueueOptions {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  channel: OutsideChannel;
  digests: Digests;
  /** How long a claim holds without renewal, in milliseconds. */
  claimMs: number;
  /** Told of those that were given up in this worker's hands, within the transaction that records it. */
  onCancelled: (session: ClientSession, notifications: Notification[]) => Promise<void>;
}

/**
 * What is due on one channel. The notifications themselves are the queue: claiming marks them, recording says how
 * it ended, and what a claim ran out on is due again for another worker.
 */
export class DeliveryQueue {
  private readonly notifications: Collection<Notification>;
  private readonly path: `channels.${OutsideChannel}`;
  /** One claim of this process after another: at once they would share what goes in one call. */
  private readonly turn = pLimit(1);

  constructor(private readonly options: DeliveryQueueOptions) {
    this.notifications = options.database.collection('notifications');
    this.path = `channels.${options.channel}`;
  }

  /** Claims up to `limit` notifications of a lane that are due, the oldest first, and tells that they are being sent. */
  async claim(limit: number, lane: Lane = 'usual'): Promise<ClaimedBatch> {
    const claimed = await this.turn(() => this.mark(limit, lane));
    if (!claimed) return { claim: '', notifications: [] };
    const { claim, mine } = claimed;
    return this.options.database.inTransaction((session) => this.begin(session, claim, mine));
  }

  /** Puts a claim on what is due, unless nothing is. */
  private async mark(limit: number, lane: Lane): Promise<{ claim: string; mine: Filter<Notification> } | undefined> {
    const { clock, claimMs } = this.options;
    const now = clock.now();
    const claim = randomUUID();
    const isDue = this.where({ claim: null, nextAttemptAt: { $lte: now } });
    const due = await this.notifications
      .find({ bulk: lane === 'bulk' ? true : null, ...isDue }, { projection: { _id: 1 } })
      .sort({ [`${this.path}.nextAttemptAt`]: 1 })
      .limit(limit)
      .toArray();
    if (due.length === 0) return undefined;

    const found: Filter<Notification> = { _id: { $in: due.map(({ _id }) => _id) } };
    // Still due: another worker may have found the same ones. Outside the transaction, where who comes second passes
    // over what is taken instead of starting again.
    const { modifiedCount } = await this.notifications.updateMany(
      { ...found, ...isDue },
      { $set: this.at({ claim, nextAttemptAt: later(now, claimMs) }) },
    );
    if (modifiedCount === 0) return undefined;
    // Not what was cancelled since.
    return { claim, mine: { ...found, ...this.where({ claim, status: { $in: TO_BE_SENT } }) } };
  }

  /**
   * Makes due again whatever a claim ran out on, and answers with how much that was. Apart from claiming: a worker that
   * died in a transaction has left what it had in hand locked for up to a minute, and nothing else is to wait for that.
   * @throws MongoServerError `MaxTimeMSExpired` where it had to wait, having made due some of it
   */
  async release(): Promise<number> {
    const ranOut = { claim: { $gt: '' }, nextAttemptAt: { $lte: this.options.clock.now() } };
    const { modifiedCount } = await this.notifications.updateMany(
      { bulk: { $in: [null, true] }, ...this.where(ranOut) },
      { $unset: this.at({ claim: 1 }) },
      { maxTimeMS: LOCKED_MS },
    );
    return modifiedCount;
  }

  /** The attempt begins: what is claimed becomes `sending`, which is told like any other change. */
  private async begin(session: ClientSession, claim: string, claimed: Filter<Notification>): Promise<ClaimedBatch> {
    const { channel, clock } = this.options;
    const notifications = await this.notifications.find(claimed, { session }).toArray();
    await this.notifications.updateMany(
      claimed,
      { $set: { ...this.at({ status: 'sending' }), toldAt: clock.now() }, $inc: this.at({ attempts: 1 }) },
      { session },
    );
    // Of those whose worker died it was told already.
    const begun = notifications.flatMap((notification): ChangedDelivery[] => {
      const was = notification.channels[channel]?.status ?? 'sending';
      return was === 'sending' ? [] : [{ notification, was, status: 'sending' }];
    });
    await this.tell(session, begun);
    for (const { channels } of notifications) {
      const delivery = channels[channel];
      if (delivery) channels[channel] = { ...delivery, status: 'sending', attempts: delivery.attempts + 1 };
    }
    return { claim, notifications };
  }

  /** Keeps a claim from running out while its batch is being sent. */
  async renew({ claim, notifications }: ClaimedBatch): Promise<void> {
    const { clock, claimMs } = this.options;
    await this.notifications.updateMany(
      { _id: { $in: notifications.map(({ _id }) => _id) }, ...this.where({ claim }) },
      { $set: this.at({ nextAttemptAt: later(clock.now(), claimMs) }) },
    );
  }

  /**
   * Records how deliveries of a batch ended and tells of it, in one transaction. What is no longer under this claim has
   * been taken over: it is left alone, and nothing is told of it.
   */
  async record({ claim, notifications }: ClaimedBatch, outcomes: ReadonlyMap<string, Outcome>): Promise<void> {
    const { database, clock, channel, digests, onCancelled } = this.options;
    const now = clock.now();
    const ended = notifications.filter(({ _id }) => outcomes.has(_id.toHexString()));
    if (ended.length === 0) return;
    await database.inTransaction(async (session) => {
      const toldAt = clock.now();
      const mine = { _id: { $in: ended.map(({ _id }) => _id) }, ...this.where({ claim }) };
      const held = await this.notifications.find(mine, { session }).toArray();
      const results: Ended[] = held.flatMap((notification) => {
        const outcome = outcomes.get(notification._id.toHexString());
        const delivery = notification.channels[channel];
        if (!outcome || !delivery) return [];
        return [{ notification, outcome, was: delivery.status, next: transition(delivery, outcome, now) }];
      });
      if (results.length === 0) return;
      const deliveries = await digests.join(
        session,
        results.map(({ notification: { userId }, next }) => ({ userId, delivery: next })),
      );
      await this.notifications.bulkWrite(
        results.map(({ notification, next }, index) => ({
          updateOne: {
            filter: { _id: notification._id },
            update: { $set: { [this.path]: deliveries[index] ?? next, toldAt } },
          },
        })),
        { session, ordered: false },
      );
      const dead = results
        .filter(({ next }) => next.status === 'dead')
        .map(({ notification, outcome, next }) => ({
          ...{ notification, delivery: next },
          ...('detail' in outcome && { detail: outcome.detail }),
        }));
      await bury({ database, session, channel, dead, at: now });
      await this.tell(
        session,
        results.map(({ notification, was, next }) => ({ notification, was, status: next.status })),
      );
      const cancelled = results.filter(({ next }) => next.status === 'cancelled');
      if (cancelled.length > 0) {
        await onCancelled(
          session,
          cancelled.map(({ notification }) => notification),
        );
      }
    });
  }

  private tell(session: ClientSession, changes: ChangedDelivery[]): Promise<void> {
    return tellDeliveries(this.options.outbox, session, this.options.channel, changes);
  }

  private where(fields: Partial<Record<keyof Delivery, unknown>>): Filter<Notification> {
    return this.at(fields);
  }

  private at(fields: Partial<Record<keyof Delivery, unknown>>): Record<string, never> {
    return Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [`${this.path}.${field}`, value]),
    ) as Record<string, never>;
  }
}
