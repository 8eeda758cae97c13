import { type CollectionDefinition } from '../database/collections.js';

/** Agenda's own collection; it is told not to make its indexes itself. */
export const agendaJobsCollection: CollectionDefinition = {
  name: 'agendaJobs',
  indexes: [
    // Agenda's poll: due and unlocked, or locked for too long, per name.
    { key: { name: 1, nextRunAt: 1, priority: -1, lockedAt: 1, disabled: 1 } },
    { key: { name: 1, lockedAt: 1 } },
    // Those that failed and are to be buried; most never fail.
    { key: { failedAt: 1 }, options: { partialFilterExpression: { failedAt: { $type: 'date' } } } },
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

/**
 * Agenda makes this one with its indexes at every start, though nothing is logged there. It finds it made, so that
 * nodes that start together do not create the same collection at once.
 */
export const agendaLogsCollection: CollectionDefinition = {
  name: 'agendaLogs',
  indexes: [
    { key: { timestamp: -1 }, options: { name: 'agenda_logs_timestamp_idx' } },
    { key: { jobId: 1, timestamp: -1 }, options: { name: 'agenda_logs_job_id_idx' } },
    { key: { jobName: 1, timestamp: -1 }, options: { name: 'agenda_logs_job_name_idx' } },
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

export const jobCollections = [agendaJobsCollection, agendaLogsCollection, deadJobsCollection];
