import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';
import { compile } from './compiled.js';

// Mocha asks its workers to end and sends them this a second later. Writing down what was covered, the last thing that
// a process does, takes longer: it is not cut off by a signal that has a listener.
process.once('SIGTERM', () => process.exit());

let database: EmbeddedDatabase | undefined;
let removeCompiled: (() => Promise<void>) | undefined;

/**
 * One real replica set for the whole run; every test file takes databases of its own on it. And the product, compiled
 * for the processes that tests start.
 */
export async function mochaGlobalSetup(): Promise<void> {
  const log = createLog(process.env['TEST_LOG_LEVEL'] ?? 'warn');
  removeCompiled = await compile();
  database = await startEmbedded({ log, fallbackAllowed: process.env['ATRIUM_MONGOD_FALLBACK'] !== 'off' });
  process.env['TEST_MONGODB_URI'] = database.uri;
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all([database?.stop(), removeCompiled?.()]);
}
