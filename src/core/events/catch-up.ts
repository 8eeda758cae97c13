import { type Collection, ObjectId } from 'mongodb';
import { MINUTE } from '../clock.js';
import { type DomainEvent } from './event.js';

/**
 * Ids are made by the writing nodes, so their order is not the order of commits: an event with a lower id may have
 * been committed after the last one handled. No transaction lives for longer than this.
 */
export const OVERLAP_MS = MINUTE;

/**
 * The events stored since a position that no stream can resume from, oldest first, in batches. Some of them, those of
 * the overlap, have been handled before.
 * @param lastEventId the last event handled; from the beginning where absent
 */
export async function* eventsSince(
  events: Collection<DomainEvent>,
  lastEventId: ObjectId | undefined,
  types: readonly string[],
  size: number,
): AsyncGenerator<DomainEvent[]> {
  let after = lastEventId && startOfOverlap(lastEventId);
  for (;;) {
    const batch = await events
      .find({ type: { $in: [...types] }, ...(after && { _id: { $gt: after } }) })
      .sort({ _id: 1 })
      .limit(size)
      .toArray();
    if (batch.length === 0) return;
    yield batch;
    after = batch.at(-1)?._id;
  }
}

function startOfOverlap(id: ObjectId): ObjectId {
  const seconds = (id.getTimestamp().getTime() - OVERLAP_MS) / 1_000;
  return ObjectId.createFromTime(Math.max(0, Math.floor(seconds)));
}
