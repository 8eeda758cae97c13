import { type Database } from './database/database.js';
import { deadEventsCollection, eventsCollection } from './events/collections.js';
import { rateLimitCollection } from './http/limits.js';
import { agendaJobsCollection, deadJobsCollection } from './jobs/collections.js';
import { deleteMentions, nothingToExport, type PersonalData } from './personal-data.js';
import { adapterCollection } from './realtime/collections.js';

/**
 * What is left of a user in the outbox, the dead letters, jobs, counters and in what nodes tell each other in passing.
 * Events carry texts and names, and every one that does names the id beside them. They go last, since erasing the rest
 * records some, too. Whoever has yet to handle one of them still gets it from the change stream.
 */
export function traces({ collection }: Pick<Database, 'collection'>): PersonalData {
  return {
    name: 'traces',
    collections: [
      eventsCollection,
      deadEventsCollection,
      agendaJobsCollection,
      deadJobsCollection,
      rateLimitCollection,
      adapterCollection,
    ].map(({ name }) => name),
    export: nothingToExport,
    async erase(userId) {
      await deleteMentions(collection(eventsCollection.name), userId);
      await deleteMentions(collection(deadEventsCollection.name), userId);
      // The recurring ones are nobody's.
      await deleteMentions(collection(agendaJobsCollection.name), userId, { repeatInterval: null });
      await deleteMentions(collection(deadJobsCollection.name), userId);
      await deleteMentions(collection(adapterCollection.name), userId);
      await collection(rateLimitCollection.name).deleteMany({ key: new RegExp(`:${userId}$`) });
    },
  };
}
