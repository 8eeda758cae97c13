import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, type Filter, type ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { type Clock, later, MINUTE } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { isOutOfTime } from '../../../core/database/errors.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury } from '../dead-letters/bury.js';
import { type Digests } from '../digests/digests.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type DeliveryStatus, type OutsideChannel } from '../notification.types.js';
import { type Outcome, transition } from './outcome.js';
import { type ChangedDelivery, tellDeliveries } from './tell-deliveries.js';
import { writeDeliveries } from './write-deliveries.js';

/** Notifications that this worker, and no other, is to send now. */
export interface ClaimedBatch {
  claim: string;
  notifications: Notification[];
}

/** What has this worker's claim, and is still to be begun with. */
interface Marked {
  claim: string;
  mine: Filter<Notification>;
  /** Whether some of what is due is locked, so that there may be more behind it. */
  isHeldUp: boolean;
}

const TO_BE_SENT: DeliveryStatus[] = ['pending', 'failed', 'sending'];
/** How long one waits for what a dead worker has locked. */
const LOCKED_MS = 2_000;
/** For so long at most the server lets a transaction be open that nobody goes on with. */
const LEFT_OPEN_MS = MINUTE;

/** Another one has written what a transaction wanted to write. */
class Contended extends Error {}

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
  /** What a dead worker has locked: passed over, so that nothing else waits for it. */
  private locked: { ids: readonly ObjectId[]; until: Date } | undefined;

  constructor(private readonly options: DeliveryQueueOptions) {
    this.notifications = options.database.collection('notifications');
    this.path = `channels.${options.channel}`;
  }

  /** Claims up to `limit` notifications of a lane that are due, the oldest first, and tells that they are being sent. */
  async claim(limit: number, lane: Lane = 'usual'): Promise<ClaimedBatch> {
    const claimed = await this.turn(() => this.take(limit, lane));
    if ('notifications' in claimed) return claimed;
    const { claim, mine, isHeldUp } = claimed;
    const batch = await this.options.database.inTransaction((session) => this.begin(session, claim, mine));
    return isHeldUp && batch.notifications.length === 0 ? this.claim(limit, lane) : batch;
  }

  /**
   * What is due is claimed and begun in one transaction, which costs half of two writes each. Where another worker is at
   * the same ones, of two transactions one would have to start again, and again: who comes second then puts a claim on
   * those that are left, one by one, and begins with them afterwards.
   */
  private async take(limit: number, lane: Lane): Promise<ClaimedBatch | Marked> {
    const { clock, claimMs, database } = this.options;
    const now = clock.now();
    const claim = randomUUID();
    const isDue = this.where({ claim: null, nextAttemptAt: { $lte: now } });
    const due = await this.due(limit, lane, isDue);
    if (due.length === 0) return { claim, notifications: [] };
    const found: Filter<Notification> = { _id: { $in: due } };
    const change = this.at({ claim, nextAttemptAt: later(now, claimMs) });
    // Not what was cancelled since.
    const toBeSent = this.where({ status: { $in: TO_BE_SENT } });
    let attempts = 0;
    try {
      return await database.inTransaction((session) => {
        attempts += 1;
        if (attempts > 1) throw new Contended();
        return this.begin(session, claim, { ...found, ...isDue, ...toBeSent }, change);
      });
    } catch (error) {
      if (!(error instanceof Contended)) throw error;
    }
    const isHeldUp = await this.mark(due, { ...found, ...isDue }, change);
    return { claim, mine: { ...found, ...this.where({ claim }), ...toBeSent }, isHeldUp };
  }

  /**
   * Claims notifications that are about to be written, within the transaction that writes them: they are being sent from
   * the start. Whoever does so begins with them once they are committed.
   */
  claimNew(notifications: Notification[]): ClaimedBatch {
    const { channel, clock, claimMs } = this.options;
    const claim = randomUUID();
    const nextAttemptAt = later(clock.now(), claimMs);
    for (const { channels } of notifications) {
      channels[channel] = { status: 'sending', attempts: 1, claim, nextAttemptAt };
    }
    return { claim, notifications };
  }

  private async due(limit: number, lane: Lane, isDue: Filter<Notification>): Promise<ObjectId[]> {
    const { clock } = this.options;
    if (this.locked && this.locked.until <= clock.now()) this.locked = undefined;
    const found = await this.notifications
      .find(
        {
          bulk: lane === 'bulk' ? true : null,
          ...isDue,
          ...(this.locked && { _id: { $nin: [...this.locked.ids] } }),
        },
        { projection: { _id: 1 } },
      )
      .sort({ [`${this.path}.nextAttemptAt`]: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id);
  }

  /**
   * Outside of a transaction, where who comes second passes over what is taken.
   * @returns whether some of it is locked
   */
  private async mark(due: ObjectId[], filter: Filter<Notification>, change: Record<string, never>): Promise<boolean> {
    try {
      await this.notifications.updateMany(filter, { $set: change }, { maxTimeMS: LOCKED_MS });
      return false;
    } catch (error) {
      if (!isOutOfTime(error)) throw error;
    }
    // Some of these a dead worker's transaction keeps locked, until the server ends that; the others do not wait for it.
    const each = await Promise.allSettled(
      due.map((_id) =>
        this.notifications.updateOne({ ...filter, _id }, { $set: change }, { maxTimeMS: LOCKED_MS / 4 }),
      ),
    );
    for (const one of each) if (one.status === 'rejected' && !isOutOfTime(one.reason)) throw one.reason;
    const locked = due.filter((_id, index) => each[index]?.status === 'rejected');
    const until = later(this.options.clock.now(), LEFT_OPEN_MS);
    this.locked = { until, ids: [...(this.locked?.ids ?? []), ...locked] };
    return locked.length > 0;
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

  /**
   * The attempt begins: what is claimed becomes `sending`, which is told like any other change.
   * @param change what else is written
   */
  private async begin(
    session: ClientSession,
    claim: string,
    mine: Filter<Notification>,
    change: Record<string, never> = {},
  ): Promise<ClaimedBatch> {
    const { channel, clock } = this.options;
    const notifications = await this.notifications.find(mine, { session }).toArray();
    if (notifications.length === 0) return { claim, notifications };
    await this.notifications.updateMany(
      { _id: { $in: notifications.map(({ _id }) => _id) } },
      {
        $set: { ...change, ...this.at({ status: 'sending' }), toldAt: clock.now() },
        $inc: this.at({ attempts: 1 }),
      },
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
      // What else there is of them is known, and they are many.
      const held = await this.notifications
        .find<Pick<Notification, '_id' | 'channels'>>(mine, { session, projection: { [this.path]: 1 } })
        .toArray();
      const deliveryOf = new Map(held.map(({ _id, channels }) => [_id.toHexString(), channels[channel]]));
      const results: Ended[] = ended.flatMap((notification) => {
        const id = notification._id.toHexString();
        const [outcome, delivery] = [outcomes.get(id), deliveryOf.get(id)];
        if (!outcome || !delivery) return [];
        return [{ notification, outcome, was: delivery.status, next: transition(delivery, outcome, now) }];
      });
      if (results.length === 0) return;
      const deliveries = await digests.join(
        session,
        results.map(({ notification: { userId }, next }) => ({ userId, delivery: next })),
      );
      await writeDeliveries(
        { notifications: this.notifications, session, channel, toldAt },
        results.map(({ notification: { _id }, next }, index) => ({ _id, delivery: deliveries[index] ?? next })),
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
