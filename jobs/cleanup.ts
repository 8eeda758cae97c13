import { HOUR, MINUTE } from '../src/core/clock.js';
import { defineJob, type JobDefinition } from '../src/core/jobs/job.js';

/**
 * Clears up: moves jobs that failed on every attempt to the dead letters, where someone sees them, and removes media
 * that nothing refers to.
 * @param steps each does some of what there is to do, and says how much that was
 */
export function cleanup(steps: readonly (() => Promise<number>)[]): JobDefinition {
  return defineJob({
    name: 'cleanup',
    everyMs: HOUR,
    concurrency: 1,
    lockMs: 10 * MINUTE,
    async run() {
      for (const step of steps) while ((await step()) > 0);
    },
  });
}
