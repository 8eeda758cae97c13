import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const CONNECTION_STATUSES = ['requested', 'accepted', 'rejected', 'withdrawn'] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/** The one tie between two users, whoever asked; the smaller id is `low`, so that a pair has one row. */
export interface Connection {
  _id: ObjectId;
  low: ObjectId;
  high: ObjectId;
  requesterId: ObjectId;
  status: ConnectionStatus;
  note?: string;
  createdAt: Date;
  /** When it took its status. */
  changedAt: Date;
}

export const connectionCollection: CollectionDefinition = {
  name: 'connections',
  indexes: [
    // One row per pair, whatever the two ask for at once; also whether two users are connected.
    { key: { low: 1, high: 1 }, options: { unique: true } },
    // A user's connections and requests, newest first, merged from the two sides that a user can stand on. The other
    // side's id at the end answers with whom from keys alone, for suggestions and for making circles.
    { key: { low: 1, status: 1, changedAt: -1, _id: -1, high: 1 } },
    { key: { high: 1, status: 1, changedAt: -1, _id: -1, low: 1 } },
  ],
};
