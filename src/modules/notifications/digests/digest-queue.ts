import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, type Filter, type ObjectId } from 'mongodb';
import { type Clock, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { isOutOfTime } from '../../../core/database/errors.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury } from '../dead-letters/bury.js';
import { type Outcome, transition } from '../delivery/outcome.js';
import { tellDeliveries } from '../delivery/tell-deliveries.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type Digest, digestCollection } from './digest.model.js';

/** Digests that this worker, and no other, is to deal with now. */
export interface ClaimedDigests {
  claim: string;
  digests: Digest[];
}

export interface DigestQueueOptions {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  /** How long a claim holds without renewal, in milliseconds. */
  claimMs: number;
}

/** So many notifications are written in one transaction. */
const PAGE = 500;
/** How long one waits for what a dead worker has locked. */
const LOCKED_MS = 1_000;
const NOT_ENDED: Delivery['status'][] = ['pending', 'failed'];
const ENDED: ReadonlySet<Delivery['status']> = new Set(['sent', 'dead', 'skipped']);

/** Whether it is known what became of the mail; what it was about may still have to be told so. */
export function hasEnded({ delivery }: Digest): boolean {
  return ENDED.has(delivery.status);
}

/** The digests that are due. A claim that runs out makes them due again for another worker. */
export class DigestQueue {
  private readonly digests: Collection<Digest>;
  private readonly notifications: Collection<Notification>;

  constructor(private readonly options: DigestQueueOptions) {
    const { database } = options;
    this.digests = database.collection(digestCollection.name);
    this.notifications = database.collection('notifications');
  }

  /** Claims up to `limit` that are due, the oldest first. */
  async claim(limit: number): Promise<ClaimedDigests> {
    const { clock, claimMs } = this.options;
    const now = clock.now();
    const claim = randomUUID();
    const due: Filter<Digest> = { 'delivery.nextAttemptAt': { $lte: now } };
    const found = await this.digests
      .find(due, { projection: { _id: 1 } })
      .sort({ 'delivery.nextAttemptAt': 1 })
      .limit(limit)
      .toArray();
    if (found.length === 0) return { claim, digests: [] };
    const ids = found.map(({ _id }) => _id);
    await this.mark(ids, due, { 'delivery.claim': claim, 'delivery.nextAttemptAt': later(now, claimMs) });
    return { claim, digests: await this.digests.find({ _id: { $in: ids }, 'delivery.claim': claim }).toArray() };
  }

  /**
   * Puts a claim on those that are still due: another worker may have found the same ones. A worker that died in a
   * transaction has left what it wrote there locked for up to a minute, be it a claim that ran out or what it let gather
   * more: such a digest is passed over, and holds up no other.
   */
  private async mark(ids: readonly ObjectId[], due: Filter<Digest>, $set: Record<string, unknown>): Promise<void> {
    const claimSome = (some: readonly ObjectId[]) =>
      this.digests.updateMany({ _id: { $in: some }, ...due }, { $set }, { maxTimeMS: LOCKED_MS });
    try {
      await claimSome(ids);
    } catch (error) {
      if (!isOutOfTime(error)) throw error;
      const each = await Promise.allSettled(ids.map((id) => claimSome([id])));
      for (const one of each) if (one.status === 'rejected' && !isOutOfTime(one.reason)) throw one.reason;
    }
  }

  /** Keeps a claim from running out. */
  async renew({ claim, digests }: ClaimedDigests): Promise<void> {
    const { clock, claimMs } = this.options;
    await this.digests.updateMany(
      { _id: { $in: idsOf(digests) }, 'delivery.claim': claim },
      { $set: { 'delivery.nextAttemptAt': later(clock.now(), claimMs) } },
    );
  }

  /** Those of these users' earlier digests whose period ended then or later, by the digest they stand in the way of. */
  async repeated(open: readonly Digest[]): Promise<Digest[]> {
    if (open.length === 0) return [];
    const had = await this.digests
      .find(
        { $or: open.map(({ userId, dueAt }) => ({ userId, dueAt: { $gte: dueAt }, isOpen: { $exists: false } })) },
        { projection: { userId: 1 } },
      )
      .toArray();
    return open.filter(({ userId }) => had.some((other) => other.userId.equals(userId)));
  }

  /** Lets it gather until then. */
  async postpone(claim: string, { _id }: Digest, until: Date): Promise<void> {
    await this.digests.updateOne(
      { _id, 'delivery.claim': claim, isOpen: true },
      { $set: { dueAt: until, 'delivery.nextAttemptAt': until }, $unset: { 'delivery.claim': 1 } },
    );
  }

  /** The attempt begins: nothing joins these any more. Answers with those that are still under the claim. */
  async begin(claim: string, digests: readonly Digest[]): Promise<Digest[]> {
    const mine = { _id: { $in: idsOf(digests) }, 'delivery.claim': claim };
    await this.digests.updateMany(mine, {
      $set: { 'delivery.status': 'sending' },
      $inc: { 'delivery.attempts': 1 },
      $unset: { isOpen: 1 },
    });
    return this.digests.find(mine).toArray();
  }

  /** Cancels what was read since it joined, however much that is. */
  async dropRead({ _id }: Digest): Promise<void> {
    const isRead: Filter<Notification> = { 'channels.inApp.status': { $in: ['read', 'archived'] } };
    await this.inPages(_id, isRead, async (session, page) => {
      await this.set(session, page, () => ({ status: 'cancelled', attempts: 0, reason: 'READ' }));
    });
  }

  /** What the digest is about: the newest so many, and how many there are in all. */
  async contents({ _id }: Digest, limit: number): Promise<{ newest: Notification[]; count: number }> {
    const [newest, count] = await Promise.all([
      this.notifications.find(ofDigest(_id)).sort({ _id: -1 }).limit(limit).toArray(),
      this.notifications.countDocuments(ofDigest(_id)),
    ]);
    return { newest, count };
  }

  /** Records what becomes of some of them instead of the mail. */
  async drop(dropped: ReadonlyMap<Notification, Outcome>): Promise<void> {
    if (dropped.size === 0) return;
    const { database, clock } = this.options;
    const now = clock.now();
    await database.inTransaction((session) =>
      this.set(session, [...dropped.keys()], (notification, delivery) => {
        const outcome = dropped.get(notification);
        return outcome ? transition({ ...delivery, attempts: 0 }, outcome, now) : delivery;
      }),
    );
  }

  /**
   * Records how the mail ended, then the same for each that it was about, in pages. Who takes over a digest whose mail
   * has ended goes on with the pages, and mails nothing.
   */
  async record(claim: string, digest: Digest, outcome: Outcome): Promise<void> {
    const { clock } = this.options;
    const now = clock.now();
    const next = transition(digest.delivery, outcome, now);
    const isEnd = ENDED.has(next.status);
    const { modifiedCount } = await this.digests.updateOne(
      { _id: digest._id, 'delivery.claim': claim },
      { $set: { delivery: isEnd ? { ...next, claim, nextAttemptAt: later(now, this.options.claimMs) } : next } },
    );
    // Another worker took it over.
    if (modifiedCount === 0) return;
    if (isEnd) await this.spread({ ...digest, delivery: next }, outcome);
    else if (next.status === 'failed') await this.tellFailed(digest, next);
  }

  /** Gives everything that an ended digest was about the same end. */
  async spread({ _id, delivery }: Digest, outcome?: Outcome): Promise<void> {
    const { database, clock } = this.options;
    const now = clock.now();
    const { nextAttemptAt: _, claim: __, ...ended } = delivery;
    const next: Delivery = { ...ended, digestId: _id };
    const detail = outcome && 'detail' in outcome ? { detail: outcome.detail } : {};
    await this.inPages(_id, {}, async (session, page) => {
      await this.set(session, page, () => next);
      if (next.status !== 'dead') return;
      const dead = page.map((notification) => ({ notification, delivery: next, ...detail }));
      await bury({ database, session, channel: 'email', dead, at: now });
    });
    await this.digests.updateOne(
      { _id, 'delivery.status': delivery.status },
      { $set: { endedAt: now }, $unset: { 'delivery.nextAttemptAt': 1, 'delivery.claim': 1 } },
    );
  }

  private async tellFailed({ _id }: Digest, { attempts, error }: Delivery): Promise<void> {
    const failed = { status: 'failed' as const, attempts, ...(error != null && { error }), digestId: _id };
    await this.inPages(_id, { 'channels.email.attempts': { $lt: attempts } }, (session, page) =>
      this.set(session, page, () => failed),
    );
  }

  /** Handles all of a digest that has not ended and fits, each page in a transaction, until none is left. */
  private async inPages(
    digestId: ObjectId,
    filter: Filter<Notification>,
    handle: (session: ClientSession, page: Notification[]) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const handled = await this.options.database.inTransaction(async (session) => {
        const page = await this.notifications
          .find({ ...ofDigest(digestId), ...filter }, { session })
          .limit(PAGE)
          .toArray();
        if (page.length > 0) await handle(session, page);
        return page.length;
      });
      if (handled < PAGE) return;
    }
  }

  private async set(
    session: ClientSession,
    notifications: Notification[],
    next: (notification: Notification, delivery: Delivery) => Delivery,
  ): Promise<void> {
    const changes = notifications.flatMap((notification) => {
      const delivery = notification.channels.email;
      return delivery ? [{ notification, was: delivery.status, delivery: next(notification, delivery) }] : [];
    });
    if (changes.length === 0) return;
    const toldAt = this.options.clock.now();
    await this.notifications.bulkWrite(
      changes.map(({ notification: { _id }, delivery }) => ({
        updateOne: { filter: { _id }, update: { $set: { 'channels.email': delivery, toldAt } } },
      })),
      { session, ordered: false },
    );
    await tellDeliveries(
      this.options.outbox,
      session,
      'email',
      changes.map(({ notification, was, delivery: { status } }) => ({ notification, was, status })),
    );
  }
}

function ofDigest(digestId: ObjectId): Filter<Notification> {
  return { 'channels.email.digestId': digestId, 'channels.email.status': { $in: NOT_ENDED } };
}

function idsOf(digests: readonly Digest[]): ObjectId[] {
  return digests.map(({ _id }) => _id);
}
