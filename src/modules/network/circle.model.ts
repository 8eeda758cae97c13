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

/** Of an id, packed. */
export const ID_BYTES = 12;

export function pack(userIds: string[]): Pick<Circle, 'size' | 'userIds'> {
  return { size: userIds.length, userIds: new Binary(Buffer.from(userIds.join(''), 'hex')) };
}

export function unpack({ size, userIds }: Circle): string[] {
  const [packed, length] = [userIds.toString('hex'), 2 * ID_BYTES];
  return Array.from({ length: size }, (_, index) => packed.slice(index * length, (index + 1) * length));
}

/** The ids as they are packed, each at a multiple of `ID_BYTES`. */
export function bytesOf({ size, userIds: { buffer } }: Pick<Circle, 'size' | 'userIds'>): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, size * ID_BYTES);
}

/** Reads nothing of a circle but its ids. */
export const IDS_ONLY = { _id: 0, userIds: 1 } as const;
/** Before the bytes of the only field: the document's length, the field's type and name, its length and subtype. */
const BEFORE_IDS = 4 + 1 + 'userIds\0'.length + 4 + 1;
/** After them: the end of the document. */
const AFTER_IDS = 1;

/**
 * The same of a document as it came from the database, read with `IDS_ONLY`. To decode hundreds of them for one answer
 * takes as long as counting what is in them.
 */
export function bytesOfRaw({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset + BEFORE_IDS, byteLength - BEFORE_IDS - AFTER_IDS);
}
