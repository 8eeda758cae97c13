import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';
import { compile } from './compiled.js';

// Mocha asks its workers to end and sends them this a second later. Writing down what was covered, the last thing that
// a process does, takes longer: it is not cut off by a signal that has a listener.
process.once('SIGTERM', () => process.exit());

/**
 * As many replica sets as files that run at once (`jobs` in .mocharc.json). A change stream looks at all that its server
 * writes: on one server the nodes of each file's campus would look at what all the others do.
 */
const SERVERS = process.argv.includes('--no-parallel') ? 1 : 3;

let databases: EmbeddedDatabase[] = [];
let removeCompiled: (() => Promise<void>) | undefined;

/**
 * Real replica sets for the whole run; every test file takes databases of its own on the one of its process. And the
 * product, compiled for the processes that tests start.
 */
export async function mochaGlobalSetup(): Promise<void> {
  const log = createLog(process.env['TEST_LOG_LEVEL'] ?? 'warn');
  removeCompiled = await compile();
  const fallbackAllowed = process.env['ATRIUM_MONGOD_FALLBACK'] !== 'off';
  // No test ends these and looks for its data then.
  const options = { log, fallbackAllowed, journaled: false };
  // The first one finds or fetches the program.
  databases.push(await startEmbedded(options));
  databases.push(...(await Promise.all(Array.from({ length: SERVERS - 1 }, () => startEmbedded(options)))));
  process.env['TEST_MONGODB_URIS'] = databases.map(({ uri }) => uri).join(' ');
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all([...databases.map((database) => database.stop()), removeCompiled?.()]);
  databases = [];
}
