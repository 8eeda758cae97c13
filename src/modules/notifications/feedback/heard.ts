import { type ClientSession } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type ProviderEvent, providerEventCollection } from './provider-event.model.js';

/**
 * Which of these are told for the first time, by their places: they are remembered in the transaction of what follows
 * from them, or not at all.
 */
export async function firstHeard(
  database: Database,
  session: ClientSession,
  { source, eventIds, at }: { source: string; eventIds: readonly string[]; at: Date },
): Promise<ReadonlySet<number>> {
  const { upsertedIds } = await database.collection<ProviderEvent>(providerEventCollection.name).bulkWrite(
    eventIds.map((eventId) => ({
      updateOne: { filter: { _id: `${source}:${eventId}` }, update: { $setOnInsert: { at } }, upsert: true },
    })),
    { session },
  );
  return new Set(Object.keys(upsertedIds).map(Number));
}
