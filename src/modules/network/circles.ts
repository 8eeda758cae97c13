import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Circle, circleCollection, pack, unpack } from './circle.model.js';
import { type Connection } from './connection.model.js';

type Pair = Pick<Connection, 'low' | 'high'>;

/** How many of some users know each of those whom any of them knows. */
export interface Known {
  counts: Map<string, number>;
  /** Whether every one of those users was looked at. */
  isComplete: boolean;
}

/** Whoever knows more says little about who knows whom, and is not looked at. */
const MOST_OF_EACH = 1_000;

/** Whom users are connected with, by user. */
export class Circles {
  private readonly circles: Collection<Circle>;

  constructor({ database }: { database: Database }) {
    this.circles = database.collection(circleCollection.name);
  }

  /** Within the transaction that connects two users. */
  join(session: ClientSession, pair: Pair): Promise<void> {
    return this.change(session, pair, (userIds, other) => [...without(userIds, other), other]);
  }

  /** Within the transaction that ends their connection. */
  part(session: ClientSession, pair: Pair): Promise<void> {
    return this.change(session, pair, without);
  }

  /** The user's connections, the newest last. */
  async of(userId: string): Promise<string[]> {
    const circle = await this.circles.findOne({ _id: new ObjectId(userId) });
    return circle ? unpack(circle) : [];
  }

  /** How many of these users know each of those whom any of them knows. */
  async countKnownTo(userIds: string[]): Promise<Known> {
    const _ids = userIds.map((id) => new ObjectId(id));
    // One batch, and so one trip.
    const options = { batchSize: userIds.length + 1 };
    const circles = await this.circles.find({ _id: { $in: _ids }, size: { $lte: MOST_OF_EACH } }, options).toArray();
    const counts = new Map<string, number>();
    for (const circle of circles) {
      for (const id of unpack(circle)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return { counts, isComplete: circles.length === userIds.length };
  }

  /** Removes what is left of the user's own; others' have lost the user with the connections. */
  async erase(userId: string): Promise<void> {
    await this.circles.deleteOne({ _id: new ObjectId(userId) });
  }

  /** Both are written, so that of two transactions that read the same circle one starts again. */
  private async change(
    session: ClientSession,
    { low, high }: Pair,
    changed: (userIds: string[], other: string) => string[],
  ): Promise<void> {
    const found = await this.circles.find({ _id: { $in: [low, high] } }, { session }).toArray();
    const replacements = [
      { _id: low, other: high.toHexString() },
      { _id: high, other: low.toHexString() },
    ].map(({ _id, other }) => {
      const circle = found.find((each) => each._id.equals(_id));
      const replacement = pack(changed(circle ? unpack(circle) : [], other));
      return { replaceOne: { filter: { _id }, replacement, upsert: true } };
    });
    await this.circles.bulkWrite(replacements, { session });
  }
}

function without(userIds: string[], other: string): string[] {
  return userIds.filter((id) => id !== other);
}
