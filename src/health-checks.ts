import { MINUTE, SECOND } from './core/clock.js';
import { type Database } from './core/database/database.js';
import { type Feed } from './core/events/feed.js';
import { type Scheduler } from './core/jobs/scheduler.js';
import { type HealthCheck } from './core/observability/health.js';

/** Whether the database takes writes. */
export function databaseCheck(database: Database): HealthCheck {
  return {
    name: 'database',
    async check() {
      const { isWritablePrimary } = await database.db.command({ hello: 1 });
      return isWritablePrimary === true ? undefined : 'has no primary';
    },
  };
}

/** Whether the change stream is heard: silent for `longest` milliseconds it is not. */
export function feedCheck(feed: Feed, longest: number): HealthCheck {
  return {
    name: 'feed',
    check: () =>
      Promise.resolve(feed.silenceMs < longest ? undefined : `silent for ${Math.round(feed.silenceMs / SECOND)} s`),
  };
}

/** Whether background jobs run. */
export function schedulerCheck(scheduler: Scheduler, sweepMs: number): HealthCheck {
  const startedAt = Date.now();
  return {
    name: 'scheduler',
    async check() {
      const since = (await scheduler.sinceLastRun()) ?? Date.now() - startedAt;
      return since < sweepMs + MINUTE ? undefined : `no job has run for ${Math.round(since / SECOND)} s`;
    },
  };
}
