import { setTimeout as sleep } from 'node:timers/promises';
import { type MongodOptions, type MongodProcess, spawnMongod } from './mongod-process.js';
import { isPortFree } from './ports.js';

/** A mongod that ends this often in a row, each time soon after its start, is left alone. */
const MOST_RESTARTS = 5;
/** One that ran for so long was in order, in milliseconds. */
const STEADY_MS = 60_000;
/** How long the port of a process that has just gone may stay taken, in milliseconds: Wine's server holds it too. */
const RELEASE_MS = 5_000;

/** A mongod that is started again whenever it ends by itself. */
export interface SupervisedMongod {
  /** Of the process that runs now. */
  readonly pid: number;
  readonly port: number;
  /** Resolves when it listens for the first time; from then on it is kept running. */
  listening(): Promise<void>;
  /** Ends it: in good order, or at once where its files are of no more use. */
  stop(how: 'orderly' | 'at once'): Promise<void>;
}

/**
 * Starts a mongod and starts it again, on its files and its port, if it ends by itself: killed by the system for want
 * of memory, or crashed, as the Windows build under Wine does now and then. Clients see a primary that was away for
 * seconds; what was acknowledged by a majority is in its journal.
 * @param adopt told of every process, before anything else is done with it
 */
export async function superviseMongod(
  options: MongodOptions,
  adopt: (pid: number) => Promise<void> | void,
): Promise<SupervisedMongod> {
  const { log, port } = options;
  let current = await spawnAdopted();
  let wanted = true;
  const isWanted = (): boolean => wanted;
  let watching: Promise<void> = Promise.resolve();

  async function spawnAdopted(): Promise<MongodProcess> {
    const mongod = await spawnMongod(options);
    await adopt(mongod.pid);
    return mongod;
  }

  async function watch(): Promise<void> {
    for (let restarts = 0; ;) {
      const begun = Date.now();
      const reason = await current.ended;
      if (!isWanted()) return;
      log.error(`database: mongod ${reason} by itself. ${await current.lastLines()}`);
      restarts = Date.now() - begun > STEADY_MS ? 1 : restarts + 1;
      if (restarts > MOST_RESTARTS) {
        log.error('database: mongod ended again and again and is not started any more');
        return;
      }
      await untilFree(port);
      current = await spawnAdopted();
      // Where it does not come to listen it ends, and the next turn sees that.
      if (isWanted()) await current.listening().catch(() => current.stop('at once'));
      else await current.stop('at once');
    }
  }

  return {
    port,
    get pid() {
      return current.pid;
    },
    async listening() {
      await current.listening();
      watching = watch().catch((error: unknown) => log.error({ err: error }, 'database: mongod cannot be restarted'));
    },
    async stop(how) {
      wanted = false;
      await current.stop(how);
      await watching;
    },
  };
}

async function untilFree(port: number): Promise<void> {
  const end = Date.now() + RELEASE_MS;
  while (!(await isPortFree(port)) && Date.now() < end) await sleep(50);
}
