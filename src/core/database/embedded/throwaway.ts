import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Log } from '../../observability/log.js';
import { prepareReplicaSet } from './initiate.js';
import { type MongodBinary } from './mongod-version.js';
import { freePort, onFreePorts } from './ports.js';
import { guard } from './processes.js';
import { type SupervisedMongod, superviseMongod } from './supervise.js';
import { type EmbeddedDatabase, uriOf } from './embedded-database.js';

export interface ThrowawayOptions {
  binary: MongodBinary;
  log: Log;
  members: number;
  /** Whether it acknowledges only what its journal has on the disk. */
  journaled: boolean;
  /** Of the first member; default: a free one. */
  port?: number;
}

/**
 * The files of a dropped collection stay open as long as someone might read the past, 300 s by default: after minutes
 * of tests that drop their databases mongod has more files open than a process may.
 */
const FORGETFUL = ['minSnapshotHistoryWindowInSeconds=0'];

/** Starts a replica set whose files go with it, and with this process. */
export async function startThrowaway(options: ThrowawayOptions): Promise<EmbeddedDatabase> {
  return options.port === undefined ? onFreePorts(() => startOnce(options)) : startOnce(options);
}

async function startOnce({ binary, log, members, journaled, port }: ThrowawayOptions): Promise<EmbeddedDatabase> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'atrium-mongod-')));
  // A name of its own, so that no client takes it for another set that had its port before.
  const setName = `atrium-${randomBytes(4).toString('hex')}`;
  const mongods: SupervisedMongod[] = [];
  const pids = new Map<number, number>();
  let callOff = (): void => undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(mongods.map((mongod) => mongod.stop('at once')));
    callOff();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    for (let at = 0; at < members; at++) {
      const chosen = at === 0 && port !== undefined ? port : await freePort();
      const dbPath = join(folder, String(at), 'db');
      const mongod = { binary, dbPath, port: chosen, setName, parameters: FORGETFUL, log };
      mongods.push(
        await superviseMongod(mongod, (pid) => {
          pids.set(at, pid);
          callOff();
          callOff = guard([...pids.values()], 'KILL', folder);
        }),
      );
    }
    await Promise.all(mongods.map((mongod) => mongod.listening()));
    const ports = mongods.map((mongod) => mongod.port);
    await prepareReplicaSet(setName, ports, journaled);
    return {
      uri: uriOf(ports, setName),
      get pids() {
        return mongods.map((mongod) => mongod.pid);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
