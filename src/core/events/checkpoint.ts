import { type ObjectId, type ResumeToken } from 'mongodb';
import { type Database } from '../database/database.js';
import { type LeaseRow } from '../database/lease.js';
import { consumersCollection } from './collections.js';

/** A durable consumer's row: who holds it and its position in one document, so that one write guards both. */
export interface ConsumerRow extends LeaseRow {
  /** Absent while catching up from the collection: then only the event says how far. */
  token?: ResumeToken;
  lastEventId?: ObjectId;
}

/**
 * Has every consumer go on from the events that are stored, after the last one it has handled. For a database that came
 * out of a backup: where the stream still knows the position, it would bring what has happened since, which is no more.
 */
export async function forgetTokens({ db }: Database): Promise<void> {
  await db
    .collection<ConsumerRow>(consumersCollection.name)
    .updateMany({ token: { $exists: true } }, { $unset: { token: 1, session: 1 } });
}
