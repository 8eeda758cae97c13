import { type Document, ObjectId } from 'mongodb';
import { MINUTE } from '../clock.js';
import { type Database } from '../database/database.js';
import { eventsCollection } from './collections.js';
import { type DomainEvent } from './event.js';
import { type EventSource } from './source.js';

/**
 * Ids are made by the writing nodes, so their order is not the order of commits: an event with a lower id may have
 * been committed after the last one handled. No transaction lives for longer than this.
 */
export const OVERLAP_MS = MINUTE;

export interface Wanted {
  types: readonly string[];
  sources?: readonly EventSource[];
}

/**
 * The events stored since a position that no stream can resume from, oldest first, in batches. Some of them, those of
 * the overlap, have been handled before.
 * @param lastEventId the last event handled; from the beginning where absent
 */
export async function* eventsSince(
  database: Database,
  lastEventId: ObjectId | undefined,
  { types, sources = [] }: Wanted,
  size: number,
): AsyncGenerator<DomainEvent[]> {
  const events = database.collection<DomainEvent>(eventsCollection.name);
  const wanted = sources.filter(({ type }) => types.includes(type.type));
  let after = lastEventId && startOfOverlap(lastEventId);
  for (;;) {
    // Of each collection as many as make a whole batch, from its index by `_id`; then the oldest of them all.
    const oldest: Document[] = [{ $sort: { _id: 1 } }, { $limit: size }];
    const later = after ? { _id: { $gt: after } } : {};
    const rows = await events
      .aggregate([
        { $match: { type: { $in: [...types] }, ...later } },
        ...oldest,
        ...wanted.flatMap(({ collection }) => [
          {
            $unionWith: {
              coll: collection,
              pipeline: [{ $match: later }, ...oldest, { $set: { [FROM]: collection } }],
            },
          },
          ...oldest,
        ]),
      ])
      .toArray();
    if (rows.length === 0) return;
    yield rows.map((row) => eventOf(row, wanted));
    after = rows.at(-1)?.['_id'] as ObjectId;
  }
}

/** Says of a row which collection it stands in, where that is not `events`. */
const FROM = '_from';

function eventOf({ [FROM]: from, ...row }: Document, sources: readonly EventSource[]): DomainEvent {
  return sources.find(({ collection }) => collection === from)?.toEvent(row) ?? (row as DomainEvent);
}

function startOfOverlap(id: ObjectId): ObjectId {
  const seconds = (id.getTimestamp().getTime() - OVERLAP_MS) / 1_000;
  return ObjectId.createFromTime(Math.max(0, Math.floor(seconds)));
}
