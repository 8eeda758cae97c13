import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';

let database: EmbeddedDatabase | undefined;

/** One real replica set for the whole run; every test file takes databases of its own on it. */
export async function mochaGlobalSetup(): Promise<void> {
  const log = createLog(process.env['TEST_LOG_LEVEL'] ?? 'warn');
  database = await startEmbedded({ log, fallbackAllowed: process.env['ATRIUM_MONGOD_FALLBACK'] !== 'off' });
  process.env['TEST_MONGODB_URI'] = database.uri;
}

export async function mochaGlobalTeardown(): Promise<void> {
  await database?.stop();
}
