import { Binary, type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/**
 * With whom a user is connected: what `connections` says pair by pair, in one document, so that whom some hundred
 * users know is a read of some hundred documents. It follows from `connections` and is changed with it.
 */
export interface Circle {
  /** The user. */
  _id: ObjectId;
  /** How many. */
  size: number;
  /** The bytes of their ids, the newest last: thousands are read for one answer, and an array costs five times that. */
  userIds: Binary;
}

export const circleCollection: CollectionDefinition = {
  name: 'circles',
  // Read by the user's id only.
  indexes: [],
};

const ID_LENGTH = 24;

export function pack(userIds: string[]): Pick<Circle, 'size' | 'userIds'> {
  return { size: userIds.length, userIds: new Binary(Buffer.from(userIds.join(''), 'hex')) };
}

export function unpack({ size, userIds }: Circle): string[] {
  const packed = userIds.toString('hex');
  return Array.from({ length: size }, (_, index) => packed.slice(index * ID_LENGTH, (index + 1) * ID_LENGTH));
}
