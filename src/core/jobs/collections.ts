import { type CollectionDefinition } from '../database/collections.js';

/** Agenda's own collection; it is told not to make its indexes itself. */
export const agendaJobsCollection: CollectionDefinition = {
  name: 'agendaJobs',
  indexes: [
    // Agenda's poll: due and unlocked, or locked for too long, per name.
    { key: { name: 1, nextRunAt: 1, priority: -1, lockedAt: 1, disabled: 1 } },
    { key: { name: 1, lockedAt: 1 } },
    // One document per recurring job, however many nodes start at once.
    {
      key: { name: 1 },
      options: {
        name: 'one_recurring',
        unique: true,
        partialFilterExpression: { repeatInterval: { $type: 'string' } },
      },
    },
  ],
};

/** Jobs that failed on every attempt, with their last error. */
export const deadJobsCollection: CollectionDefinition = {
  name: 'deadJobs',
  indexes: [
    // Listing for admins: newest first.
    { key: { diedAt: -1 } },
  ],
};

export const jobCollections = [agendaJobsCollection, deadJobsCollection];
