import { type Log } from '../../observability/log.js';
import { findOnPath, inspectMongod, type MongodBinary } from './mongod-version.js';
import { officialMongod } from './official-download.js';
import { wineMongod } from './wine-mongod.js';

export interface FindOptions {
  log: Log;
  /** Whether the Windows build under Wine may be used where nothing else is to be had. */
  fallbackAllowed: boolean;
  /** Default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** The official download; tests put another in its place. */
  official?: typeof officialMongod;
}

/**
 * Finds a mongod 7.0 or newer, from the surest source to the strangest, and says each step in the log.
 * @throws Error where there is none, saying what to do
 */
export async function findMongod(options: FindOptions): Promise<MongodBinary> {
  const { log, fallbackAllowed, env = process.env, official = officialMongod } = options;
  const own = (await named(log, env)) ?? (await onPath(log, env)) ?? (await official(log, env));
  if (own) return own;
  if (!fallbackAllowed) {
    throw new Error(
      'no mongod 7.0 or newer, and the Wine fallback is forbidden by ATRIUM_MONGOD_FALLBACK=off: set MONGODB_URI, ' +
        'or MONGOMS_SYSTEM_BINARY to a mongod, or put one on the PATH',
    );
  }
  return wineMongod(log, env);
}

/** What `MONGOMS_SYSTEM_BINARY` names. One that does not work is an error: whoever set it means that one. */
async function named(log: Log, env: NodeJS.ProcessEnv): Promise<MongodBinary | undefined> {
  const path = env['MONGOMS_SYSTEM_BINARY'] ?? '';
  if (path === '') return undefined;
  const mongod = await inspectMongod(path).catch((error: unknown) => {
    throw new Error('MONGOMS_SYSTEM_BINARY names no mongod that can be used', { cause: error });
  });
  log.info(`database: using mongod ${mongod.version}, named by MONGOMS_SYSTEM_BINARY`);
  return mongod;
}

async function onPath(log: Log, env: NodeJS.ProcessEnv): Promise<MongodBinary | undefined> {
  const path = await findOnPath('mongod', env);
  const mongod = path === undefined ? undefined : await inspectMongod(path).catch(() => undefined);
  if (mongod) log.info(`database: using mongod ${mongod.version} from the PATH`);
  else log.info('database: no MONGOMS_SYSTEM_BINARY and no mongod 7.0+ on the PATH');
  return mongod;
}
