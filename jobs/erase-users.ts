import { SECOND } from '../src/core/clock.js';
import { defineJob, type JobDefinition } from '../src/core/jobs/job.js';
import { type PersonalDataWorkers } from '../src/modules/personal-data/index.js';

/** Erases accounts whose time of grace is over, and goes on where a dead worker has stopped. */
export function eraseUsers({ erasures }: PersonalDataWorkers, everyMs: number): JobDefinition {
  return defineJob({
    name: 'erase-users',
    everyMs,
    concurrency: 1,
    lockMs: 2 * everyMs + 2 * SECOND,
    run() {
      // Only woken: it is claimed step by step, and may take longer than a job should.
      erasures.wake();
      return Promise.resolve();
    },
  });
}
