import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Delivery } from '../delivery.model.js';
import { type Digest, digestCollection } from './digest.model.js';
import { type DigestFrequency, nextDigest } from './digest-times.js';

/** A delivery by mail, of a notification of this user. */
export interface Joining {
  userId: ObjectId;
  delivery: Delivery;
}

/** What gathers for one mail. */
export class Digests {
  private readonly digests: Collection<Digest>;

  constructor(private readonly deps: { database: Database; clock: Clock }) {
    this.digests = deps.database.collection(digestCollection.name);
  }

  /**
   * Adds those that are to wait for a digest to the one that is gathering for their user, within the caller's
   * transaction; the others are left alone. It is written, not only read: whoever closes a digest at this moment and
   * whoever joins it do not both succeed.
   * @returns the deliveries in the same order, as they are to be stored: what waits for a digest is not due by itself
   */
  async join(session: ClientSession, joining: readonly Joining[]): Promise<Delivery[]> {
    const due = new Map<string, Date>();
    for (const { userId, delivery } of joining) {
      if (isWaiting(delivery)) due.set(userId.toHexString(), delivery.nextAttemptAt);
    }
    if (due.size === 0) return joining.map(({ delivery }) => delivery);
    const createdAt = this.deps.clock.now();
    await this.digests.bulkWrite(
      [...due].map(([id, dueAt]) => ({
        updateOne: {
          filter: { userId: new ObjectId(id), isOpen: true as const },
          update: {
            $setOnInsert: {
              dueAt,
              'delivery.status': 'pending',
              'delivery.attempts': 0,
              'delivery.nextAttemptAt': dueAt,
              createdAt,
            },
            $inc: { joined: 1 },
          },
          upsert: true,
        },
      })),
      { session, ordered: false },
    );
    const open = await this.digests
      .find(
        { userId: { $in: [...due.keys()].map((id) => new ObjectId(id)) }, isOpen: true },
        { session, projection: { userId: 1 } },
      )
      .toArray();
    const ids = new Map(open.map(({ _id, userId }) => [userId.toHexString(), _id]));
    return joining.map(({ userId, delivery }) => {
      const digestId = ids.get(userId.toHexString());
      if (!isWaiting(delivery) || !digestId) return delivery;
      const { nextAttemptAt: _, ...rest } = delivery;
      return { ...rest, digestId };
    });
  }

  /** Has what has gathered sent by the user's new choice: at the end of the new period, or soon where there is none. */
  async reschedule(
    userId: string,
    frequency: DigestFrequency,
    timeZone: string,
    session?: ClientSession,
  ): Promise<void> {
    const now = this.deps.clock.now();
    const dueAt = frequency === 'off' ? now : nextDigest(frequency, timeZone, now);
    await this.digests.updateOne(
      { userId: new ObjectId(userId), isOpen: true },
      { $set: { dueAt, 'delivery.nextAttemptAt': dueAt } },
      { ...(session && { session }) },
    );
  }
}

function isWaiting(delivery: Delivery): delivery is Delivery & { nextAttemptAt: Date } {
  return delivery.reason === 'DIGEST' && delivery.nextAttemptAt != null;
}
