import { type CollectionDefinition } from '../database/collections.js';

const SEVEN_DAYS_IN_SECONDS = 7 * 24 * 60 * 60;

/** The outbox. Catch-up reads it by `_id`, the index every collection has. */
export const eventsCollection: CollectionDefinition = {
  name: 'events',
  // Whoever falls behind has seven days to catch up.
  indexes: [{ key: { at: 1 }, options: { expireAfterSeconds: SEVEN_DAYS_IN_SECONDS } }],
};

/** One row per durable consumer: who holds its lease, and how far it has come. Read by `_id`. */
export const consumersCollection: CollectionDefinition = { name: 'consumers', indexes: [] };

/** Events whose listener failed each time, set aside so that the rest could go on. */
export const deadEventsCollection: CollectionDefinition = {
  name: 'deadEvents',
  indexes: [
    // An event is set aside once per consumer, however often that is tried.
    { key: { eventId: 1, consumer: 1 }, options: { unique: true } },
    // Listing for admins: newest first.
    { key: { at: -1 } },
  ],
};

export const eventCollections = [eventsCollection, consumersCollection, deadEventsCollection];
