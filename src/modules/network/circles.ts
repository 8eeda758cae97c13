import {
  type ClientSession,
  type Collection,
  type Document,
  type FindCursor,
  type FindOptions,
  ObjectId,
} from 'mongodb';
import { type Database } from '../../core/database/database.js';
import {
  bytesOf,
  bytesOfRaw,
  type Circle,
  circleCollection,
  ID_BYTES,
  IDS_ONLY,
  pack,
  unpack,
} from './circle.model.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { IdTable } from './id-table.js';

type Pair = Pick<Connection, 'low' | 'high'>;

/** How many of some users know each of those whom any of them knows. */
export interface Known {
  countOf: (userId: string) => number;
  /** Those who are known at all with that number, whom the most know first. */
  commonest(): Iterable<[userId: string, count: number]>;
  /** Whether every one of those users was looked at. */
  isComplete: boolean;
}

/** Whoever knows more says little about who knows whom, and is not looked at. */
const MOST_OF_EACH = 1_000;

/** Whom users are connected with, by user. */
export class Circles {
  private readonly circles: Collection<Circle>;
  private readonly connections: Collection<Connection>;

  constructor({ database }: { database: Database }) {
    this.circles = database.collection(circleCollection.name);
    this.connections = database.collection(connectionCollection.name);
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
    const circles = await this.find<Uint8Array>(userIds, { projection: IDS_ONLY, raw: true }).toArray();
    return { ...tally(circles.map(bytesOfRaw)), isComplete: circles.length === userIds.length };
  }

  /** How many of `friends` each of these users is connected with, however many they know. */
  async countShared(userIds: string[], friends: string[]): Promise<Map<string, number>> {
    const among = new IdTable(friends.length);
    const packed = bytesOf(pack(friends));
    for (let at = 0; at < packed.byteLength; at += ID_BYTES) among.add(packed, at);
    const counts = new Map<string, number>();
    for (const circle of await this.find<Circle>(userIds).toArray()) {
      const bytes = bytesOf(circle);
      let shared = 0;
      for (let at = 0; at < bytes.byteLength; at += ID_BYTES) if (among.find(bytes, at) >= 0) shared += 1;
      counts.set(circle._id.toHexString(), shared);
    }
    const unread = userIds.filter((id) => !counts.has(id));
    return unread.length === 0 ? counts : new Map([...counts, ...(await this.countPairs(unread, friends))]);
  }

  /** Removes what is left of the user's own; others' have lost the user with the connections. */
  async erase(userId: string): Promise<void> {
    await this.circles.deleteOne({ _id: new ObjectId(userId) });
  }

  /** Those that are not too large, in one trip. */
  private find<T extends Document>(userIds: string[], options: FindOptions = {}): FindCursor<T> {
    const filter = { _id: { $in: toIds(userIds) }, size: { $lte: MOST_OF_EACH } };
    return this.circles.find<T>(filter, { ...options, batchSize: userIds.length + 1 });
  }

  /** The same count where the connections are: on both sides that a user can stand on, from keys alone. */
  private async countPairs(userIds: string[], friends: string[]): Promise<Map<string, number>> {
    const [ids, friendIds] = [toIds(userIds), toIds(friends)];
    const count = (one: 'low' | 'high', other: 'low' | 'high') =>
      this.connections
        .aggregate<{ _id: ObjectId; count: number }>([
          { $match: { [one]: { $in: ids }, status: 'accepted', [other]: { $in: friendIds } } },
          { $group: { _id: `$${one}`, count: { $sum: 1 } } },
        ])
        .toArray();
    const counts = new Map<string, number>();
    for (const side of await Promise.all([count('low', 'high'), count('high', 'low')])) {
      for (const { _id, count: found } of side) {
        const id = _id.toHexString();
        counts.set(id, (counts.get(id) ?? 0) + found);
      }
    }
    return counts;
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

/** In how many of the circles each of those stands who stand in any. */
function tally(circles: readonly DataView[]): Omit<Known, 'isComplete'> {
  const most = circles.reduce((sum, { byteLength }) => sum + byteLength / ID_BYTES, 0);
  const all = new IdTable(most);
  const counts = new Uint32Array(most);
  for (const bytes of circles) {
    for (let at = 0; at < bytes.byteLength; at += ID_BYTES) {
      const number = all.add(bytes, at);
      counts[number] = (counts[number] ?? 0) + 1;
    }
  }
  return {
    countOf(userId) {
      const number = all.find(bytesOf(pack([userId])), 0);
      return counts[number] ?? 0;
    },
    *commonest() {
      // Not sorted: of the thousands most are known to one only, and few of those are asked for.
      const withCount: number[][] = [];
      for (let number = 0; number < all.size; number += 1) (withCount[counts[number] ?? 0] ??= []).push(number);
      for (let count = withCount.length - 1; count > 0; count -= 1) {
        for (const number of withCount[count] ?? []) yield [all.idOf(number), count];
      }
    },
  };
}

function without(userIds: string[], other: string): string[] {
  return userIds.filter((id) => id !== other);
}

function toIds(ids: string[]): ObjectId[] {
  return ids.map((id) => new ObjectId(id));
}
