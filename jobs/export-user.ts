import { SECOND } from '../src/core/clock.js';
import { defineJob, type JobDefinition } from '../src/core/jobs/job.js';
import { type PersonalDataWorkers } from '../src/modules/personal-data/index.js';

/** Makes exports that a dead worker left unfinished or that are to be retried, and removes what has expired. */
export function exportUser({ exports }: PersonalDataWorkers, everyMs: number): JobDefinition {
  return defineJob({
    name: 'export-user',
    everyMs,
    concurrency: 1,
    lockMs: 2 * everyMs + 2 * SECOND,
    run() {
      // Only woken: a large export may take longer than a job should.
      exports.wake();
      return Promise.resolve();
    },
  });
}
