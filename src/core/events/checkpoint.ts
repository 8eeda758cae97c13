import { type ObjectId, type ResumeToken } from 'mongodb';
import { type LeaseRow } from '../database/lease.js';

/** A durable consumer's row: who holds it and its position in one document, so that one write guards both. */
export interface ConsumerRow extends LeaseRow {
  /** Absent while catching up from the collection: then only the event says how far. */
  token?: ResumeToken;
  lastEventId?: ObjectId;
}
