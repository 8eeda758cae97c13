import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { SECOND } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { Consumer } from '../../../core/events/consumer.js';
import { type Log } from '../../../core/observability/log.js';
import { statisticsListener } from './statistics.listener.js';

/** Nobody minds if the numbers stand still for so long when a worker has died. */
const LEASE_MS = 30 * SECOND;
const REST_MS = 500;

/** Counts beside the reactor, on one worker at a time: there are several events for each notification to be counted. */
export function statisticsConsumer({ database, log }: { database: Database; log: Log }): Consumer {
  return new Consumer({
    name: 'statistics',
    owner: `${hostname()}-${process.pid}-${randomUUID()}`,
    database,
    listeners: [statisticsListener(database)],
    log,
    leaseMs: LEASE_MS,
    restMs: REST_MS,
  });
}
