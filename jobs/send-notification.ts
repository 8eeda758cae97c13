import { SECOND } from '../src/core/clock.js';
import { defineJob, type JobDefinition } from '../src/core/jobs/job.js';
import { type DeliveryWorkers } from '../src/modules/notifications/index.js';

/**
 * Sends what is due and was not sent at once: retries whose time has come, and what a dead worker had claimed. The
 * feed wakes workers directly; this is the clock and the safety net.
 */
export function sendNotification(workers: DeliveryWorkers, everyMs: number): JobDefinition {
  return defineJob({
    name: 'send-notification',
    everyMs,
    concurrency: 1,
    // Agenda locks a run before it is due: this is how long a killed worker keeps the others from taking over.
    lockMs: 2 * everyMs + 2 * SECOND,
    run() {
      // Only woken: under load they are busy without end, and a job should not be.
      for (const worker of [workers.fanOut, workers.announcements, ...workers.channels]) worker.wake();
      return Promise.resolve();
    },
  });
}
