import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const EXPORT_STATUSES = ['pending', 'ready', 'failed', 'expired'] as const;
export type ExportStatus = (typeof EXPORT_STATUSES)[number];

/** Someone's request for all that is kept of them, and what came of it. */
export interface Export {
  _id: ObjectId;
  userId: ObjectId;
  status: ExportStatus;
  requestedAt: Date;
  /** How often a worker has taken it up. */
  attempts: number;
  /** When it is due, the end of a worker's claim, or when its file is to be removed. Absent when nothing is left to do. */
  nextAttemptAt?: Date;
  claim?: string;
  /** The key of the file, known before there is one, so that no file can be left behind by a worker that dies. */
  file?: string;
  /** Bytes of the file. */
  size?: number;
  readyAt?: Date;
  expiresAt?: Date;
}

export const exportCollection: CollectionDefinition = {
  name: 'exports',
  indexes: [
    // One at a time per user, whatever is asked for at once.
    { key: { userId: 1 }, options: { unique: true, partialFilterExpression: { status: 'pending' } } },
    // GET /users/me/export: the latest.
    { key: { userId: 1, _id: -1 } },
    // What is due, the oldest first.
    { key: { nextAttemptAt: 1 }, options: { partialFilterExpression: { nextAttemptAt: { $exists: true } } } },
  ],
};
