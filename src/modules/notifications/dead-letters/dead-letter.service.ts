import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Page, type Pager } from '../../../core/http/paging.js';
import { notFound, type Problem } from '../../../core/http/problem.js';
import { TOLD_FIELDS, tellDeliveries } from '../delivery/tell-deliveries.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type NotificationType, OUTSIDE_CHANNELS, type OutsideChannel } from '../notification.types.js';
import { deadLetterDiscarded, deadLetterRequeued } from './dead-letter.events.js';
import { type DeadLetter, deadLetterCollection } from './dead-letter.model.js';

/** Which of them; all that is given must fit. */
export interface DeadLetterFilter {
  channel?: OutsideChannel | undefined;
  type?: NotificationType | undefined;
  error?: string | undefined;
}

export interface DeadLetterDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  pager: Pager;
}

/** As many as one request puts back: more would make too large a transaction. */
const MOST_AT_ONCE = 500;

/** What admins do with deliveries that were given up. */
export class DeadLetterService {
  private readonly letters: Collection<DeadLetter>;
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: DeadLetterDeps) {
    this.letters = deps.database.collection(deadLetterCollection.name);
    this.notifications = deps.database.collection('notifications');
  }

  /** Newest first. */
  list({ limit, cursor, ...filter }: DeadLetterFilter & { limit: number; cursor?: string | undefined }) {
    return this.deps.pager.page<DeadLetter>({
      collection: this.letters,
      filter: filterOf(filter),
      sort: [['_id', -1]],
      scope: `dead letters ${JSON.stringify(filterOf(filter))}`,
      limit,
      cursor,
    }) as Promise<Page<DeadLetter>>;
  }

  find(id: string): Promise<DeadLetter | null> {
    return this.letters.findOne({ _id: new ObjectId(id) });
  }

  /** How many there are per channel. */
  async counts(): Promise<Record<OutsideChannel, number>> {
    const counted = OUTSIDE_CHANNELS.map(
      async (channel) => [channel, await this.letters.countDocuments({ channel })] as const,
    );
    return Object.fromEntries(await Promise.all(counted)) as Record<OutsideChannel, number>;
  }

  /**
   * Has one tried again, with all its attempts before it.
   * @throws Problem 404 `DEAD_LETTER_NOT_FOUND`, also where someone else was quicker
   */
  async requeue(adminId: string, id: string): Promise<void> {
    await this.deps.database.inTransaction(async (session) => {
      const letter = await this.letters.findOne({ _id: new ObjectId(id) }, { session });
      if (!letter || (await this.putBack(session, adminId, [letter])) === 0) throw missing();
    });
  }

  /**
   * Has the oldest that fit tried again. Asked again it goes on with the next ones, and where there are none it does
   * nothing.
   */
  async requeueAll(adminId: string, filter: DeadLetterFilter): Promise<{ requeued: number; remaining: number }> {
    return this.deps.database.inTransaction(async (session) => {
      const wanted = filterOf(filter);
      const letters = await this.letters.find(wanted, { session }).sort({ _id: 1 }).limit(MOST_AT_ONCE).toArray();
      const requeued = await this.putBack(session, adminId, letters);
      return { requeued, remaining: await this.letters.countDocuments(wanted, { session }) };
    });
  }

  /**
   * Takes one off the list; the delivery stays given up.
   * @throws Problem 404 `DEAD_LETTER_NOT_FOUND`
   */
  async discard(adminId: string, id: string): Promise<void> {
    const { database, outbox } = this.deps;
    await database.inTransaction(async (session) => {
      const letter = await this.letters.findOneAndDelete({ _id: new ObjectId(id) }, { session });
      if (!letter) throw missing();
      await outbox.record(session, deadLetterDiscarded, aboutLetter(adminId, letter));
    });
  }

  /** Answers with how many are to be tried again: what was cancelled meanwhile is not. */
  private async putBack(session: ClientSession, adminId: string, letters: DeadLetter[]): Promise<number> {
    const { outbox, clock } = this.deps;
    const { deletedCount } = await this.letters.deleteMany(
      { _id: { $in: letters.map(({ _id }) => _id) } },
      { session },
    );
    if (deletedCount === 0) return 0;
    const pending: Delivery = { status: 'pending', attempts: 0, nextAttemptAt: clock.now() };
    const requeued: DeadLetter[] = [];
    for (const channel of OUTSIDE_CHANNELS) {
      const path = `channels.${channel}`;
      const ids = letters.filter((letter) => letter.channel === channel).map(({ notificationId }) => notificationId);
      if (ids.length === 0) continue;
      const dead = { _id: { $in: ids }, [`${path}.status`]: 'dead' };
      const found = await this.notifications.find(dead, { session, projection: TOLD_FIELDS }).toArray();
      await this.notifications.updateMany(dead, { $set: { [path]: pending, toldAt: clock.now() } }, { session });
      await tellDeliveries(
        outbox,
        session,
        channel,
        found.map((each) => ({ notification: each, was: 'dead', status: 'pending' })),
      );
      const still = new Set(found.map(({ _id }) => _id.toHexString()));
      requeued.push(
        ...letters.filter((letter) => letter.channel === channel && still.has(letter.notificationId.toHexString())),
      );
    }
    await outbox.recordAll(
      session,
      deadLetterRequeued,
      requeued.map((letter) => aboutLetter(adminId, letter)),
    );
    return requeued.length;
  }
}

function filterOf({ channel, type, error }: DeadLetterFilter): Filter<DeadLetter> {
  return { ...(channel && { channel }), ...(type && { type }), ...(error !== undefined && { error }) };
}

function aboutLetter(adminId: string, { _id, userId, notificationId, channel }: DeadLetter) {
  const data = { userId: userId.toHexString(), notificationId: notificationId.toHexString(), channel };
  return { actorId: adminId, entity: { kind: 'deadLetter', id: _id.toHexString() }, data };
}

function missing(): Problem {
  return notFound('DEAD_LETTER_NOT_FOUND', 'There is no such dead letter.');
}
