import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, type Filter } from 'mongodb';
import { type Clock, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury, type EndedDelivery } from '../dead-letters/bury.js';
import { type DeadLetter, deadLetterCollection } from '../dead-letters/dead-letter.model.js';
import { type Digests } from '../digests/digests.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type Outcome, transition } from './outcome.js';
import { type ChangedDelivery, tellDeliveries } from './tell-deliveries.js';

/** Notifications that this worker, and no other, is to send now. */
export interface ClaimedBatch {
  claim: string;
  notifications: Notification[];
}

export interface DeliveryQueueOptions {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  channel: OutsideChannel;
  digests: Digests;
  /** How long a claim holds without renewal, in milliseconds. */
  claimMs: number;
}

/**
 * What is due on one channel. The notifications themselves are the queue: claiming marks them, recording says how
 * it ended, and a claim that runs out makes them due again for another worker.
 */
export class DeliveryQueue {
  private readonly notifications: Collection<Notification>;
  private readonly deadLetters: Collection<DeadLetter>;
  private readonly path: `channels.${OutsideChannel}`;

  constructor(private readonly options: DeliveryQueueOptions) {
    this.notifications = options.database.collection('notifications');
    this.deadLetters = options.database.collection(deadLetterCollection.name);
    this.path = `channels.${options.channel}`;
  }

  /** Claims up to `limit` notifications that are due, the oldest first, and tells that they are being sent. */
  async claim(limit: number): Promise<ClaimedBatch> {
    const claimed = await this.mark(limit);
    if (!claimed) return { claim: '', notifications: [] };
    const { claim, mine } = claimed;
    return this.options.database.inTransaction((session) => this.begin(session, claim, mine));
  }

  /** Puts a claim on what is due, unless nothing is. */
  private async mark(limit: number): Promise<{ claim: string; mine: Filter<Notification> } | undefined> {
    const { clock, claimMs } = this.options;
    const now = clock.now();
    const claim = randomUUID();
    const due = await this.notifications
      .find(this.where({ nextAttemptAt: { $lte: now } }), { projection: { _id: 1 } })
      .sort({ [`${this.path}.nextAttemptAt`]: 1 })
      .limit(limit)
      .toArray();
    if (due.length === 0) return undefined;

    const found: Filter<Notification> = { _id: { $in: due.map(({ _id }) => _id) } };
    // Still due: another worker may have found the same ones. Outside the transaction, where who comes second passes
    // over what is taken instead of starting again.
    const { modifiedCount } = await this.notifications.updateMany(
      { ...found, ...this.where({ nextAttemptAt: { $lte: now } }) },
      { $set: this.at({ claim, nextAttemptAt: later(now, claimMs) }) },
    );
    return modifiedCount === 0 ? undefined : { claim, mine: { ...found, ...this.where({ claim }) } };
  }

  /** The attempt begins: what is claimed becomes `sending`, which is told like any other change. */
  private async begin(session: ClientSession, claim: string, claimed: Filter<Notification>): Promise<ClaimedBatch> {
    const { channel } = this.options;
    const notifications = await this.notifications.find(claimed, { session }).toArray();
    await this.notifications.updateMany(
      claimed,
      { $set: this.at({ status: 'sending' }), $inc: this.at({ attempts: 1 }) },
      { session },
    );
    // Of those whose worker died it was told already.
    const begun = notifications.filter(({ channels }) => channels[channel]?.status !== 'sending');
    await this.tell(
      session,
      begun.map((notification) => ({ notification, status: 'sending' })),
    );
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
    const { database, clock, channel, digests } = this.options;
    const now = clock.now();
    const ended = notifications.filter(({ _id }) => outcomes.has(_id.toHexString()));
    if (ended.length === 0) return;
    await database.inTransaction(async (session) => {
      const mine = { _id: { $in: ended.map(({ _id }) => _id) }, ...this.where({ claim }) };
      const held = await this.notifications.find(mine, { session }).toArray();
      const results: EndedDelivery[] = held.flatMap((notification) => {
        const outcome = outcomes.get(notification._id.toHexString());
        const delivery = notification.channels[channel];
        return outcome && delivery ? [{ notification, outcome, next: transition(delivery, outcome, now) }] : [];
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
            update: { $set: { [this.path]: deliveries[index] ?? next } },
          },
        })),
        { session, ordered: false },
      );
      await bury(this.deadLetters, session, channel, results, now);
      await this.tell(
        session,
        results.map(({ notification, next }) => ({ notification, status: next.status })),
      );
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
