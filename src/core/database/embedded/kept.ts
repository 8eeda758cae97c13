import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log } from '../../observability/log.js';
import { isAlive, withLock } from './cache.js';
import { type EmbeddedDatabase, uriOf } from './embedded-database.js';
import { answers, prepareReplicaSet } from './initiate.js';
import { type MongodBinary } from './mongod-version.js';
import { freePort, isPortFree, onFreePorts } from './ports.js';
import { endMongod, guard, isMongodOn } from './processes.js';
import { type SupervisedMongod, superviseMongod } from './supervise.js';

const SET_NAME = 'atrium';

/** How long a mongod whose owner is gone may take to end by itself before it is told to, in milliseconds. */
const ENDING_MS = 3_000;

/** How long the port of a process that has just gone may stay taken, in milliseconds: Wine's server holds it too. */
const RELEASE_MS = 2_000;

export interface KeptOptions {
  binary: MongodBinary;
  log: Log;
  dataDir: string;
  /** Default: the one of the last time, else a free one. */
  port?: number;
}

/** What a data folder remembers of the mongod started on it last. */
interface LastStart {
  port: number;
  pid: number;
  /** The process that started it, which alone stops it; 0 once it has begun to. */
  owner: number;
}

/**
 * Starts a single-member replica set on files that stay.
 *
 * A mongod that already runs on them is shared as long as the process that started it lives (a second server, a
 * migration beside a running one); the one who started it stops it. If that process is gone, killed perhaps, its
 * mongod is told to end by the guard and is waited for, not adopted: it might be hung, and of another version.
 */
export async function startKept(options: KeptOptions): Promise<EmbeddedDatabase> {
  await mkdir(options.dataDir, { recursive: true });
  const folder = await realpath(options.dataDir);
  const dbPath = join(folder, 'db');
  const record = join(folder, 'mongod.json');
  return withLock(join(folder, 'mongod.starting'), async () => {
    const last = await readLast(record);
    if (last && (await isMongodOn(last.pid, dbPath))) {
      if (isAlive(last.owner) && (await answers(last.port))) {
        options.log.info(`database: sharing the mongod that process ${last.owner} started on ${folder}`);
        return { uri: uriOf([last.port], SET_NAME), pids: [last.pid], stop: () => Promise.resolve() };
      }
      options.log.info(`database: waiting for the end of a mongod left behind on ${folder}`);
      await endMongod(last.pid, dbPath, ENDING_MS);
    }
    if (options.port !== undefined) return startFresh(options, options.port, dbPath, record);
    return onFreePorts(async (attempt) =>
      startFresh(options, attempt === 1 ? await sameOrFree(last?.port) : await freePort(), dbPath, record),
    );
  });
}

async function startFresh(
  { binary, log }: KeptOptions,
  port: number,
  dbPath: string,
  record: string,
): Promise<EmbeddedDatabase> {
  let callOff = (): void => undefined;
  const mongod = await superviseMongod({ binary, dbPath, port, setName: SET_NAME, log }, (pid) => {
    callOff();
    callOff = guard([pid], 'INT');
    return writeLast(record, { port, pid, owner: process.pid });
  });
  let stopped: Promise<void> | undefined;
  // Once: a second call must not write over the record of a process that has started on the folder since.
  const stop = (): Promise<void> => (stopped ??= end(mongod, () => callOff(), record));
  try {
    await mongod.listening();
    await prepareReplicaSet(SET_NAME, [port]);
    return {
      uri: uriOf([port], SET_NAME),
      get pids() {
        return [mongod.pid];
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The same port as last time, so that nothing need be changed, else a free one. */
async function sameOrFree(lastPort: number | undefined): Promise<number> {
  if (lastPort === undefined) return freePort();
  const end = Date.now() + RELEASE_MS;
  while (!(await isPortFree(lastPort))) {
    if (Date.now() > end) return freePort();
    await sleep(50);
  }
  return lastPort;
}

async function end(mongod: SupervisedMongod, callOff: () => void, record: string): Promise<void> {
  // First, so that nobody begins to share it now.
  await writeLast(record, { port: mongod.port, pid: mongod.pid, owner: 0 });
  await mongod.stop('orderly');
  callOff();
}

async function readLast(path: string): Promise<LastStart | undefined> {
  // A file that is missing or spoilt costs only the memory of a port.
  const text = await readFile(path, 'utf8').catch(() => '{}');
  try {
    const { port, pid, owner } = JSON.parse(text) as Partial<LastStart>;
    return port && pid && owner !== undefined ? { port, pid, owner } : undefined;
  } catch {
    return undefined;
  }
}

async function writeLast(path: string, last: LastStart): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(last));
  await rename(`${path}.new`, path);
}
