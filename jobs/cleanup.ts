import { HOUR, MINUTE } from '../src/core/clock.js';
import { defineJob, type JobDefinition } from '../src/core/jobs/job.js';

/** Moves jobs that failed on every attempt to the dead letters, where someone sees them. */
export function cleanup(buryExhausted: () => Promise<number>): JobDefinition {
  return defineJob({
    name: 'cleanup',
    everyMs: HOUR,
    concurrency: 1,
    lockMs: 10 * MINUTE,
    async run() {
      while ((await buryExhausted()) > 0);
    },
  });
}
