import { type Log } from '../../observability/log.js';
import { type EmbeddedDatabase } from './embedded-database.js';
import { findMongod } from './find-mongod.js';
import { startKept } from './kept.js';
import { startThrowaway } from './throwaway.js';

export { type EmbeddedDatabase } from './embedded-database.js';

export interface EmbeddedOptions {
  /** Folder of the data files; kept. Without it the files are throwaway: in a temporary folder, removed on stop. */
  dataDir?: string;
  log: Log;
  /** Whether a Windows build under Wine may serve where no other mongod is to be had. */
  fallbackAllowed: boolean;
  /** Default: a free one; with `dataDir` the one of the last time, if it is still free. */
  port?: number;
  /** Members of a throwaway replica set; default 1. */
  members?: number;
  /**
   * Whether a throwaway set acknowledges only what its journal has on the disk; default true. What need not survive the
   * end of its mongod costs half as much without.
   */
  journaled?: boolean;
}

/**
 * Starts a real mongod as a replica set on loopback and waits until it takes writes.
 *
 * A member that ends by itself is started again. It all ends with this process, even one that is killed. Ctrl-C in a terminal does not reach it: the process stops it.
 * @throws Error where no mongod 7.0 or newer can be had, or, with the last lines of its log, where it does not start
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { dataDir, log, fallbackAllowed, members = 1, journaled = true } = options;
  const port = options.port === undefined ? {} : { port: options.port };
  if (dataDir !== undefined && members !== 1) throw new Error('a kept embedded database has one member');
  const begun = performance.now();
  const binary = await findMongod({ log, fallbackAllowed });
  const database =
    dataDir === undefined
      ? await startThrowaway({ binary, log, members, journaled, ...port })
      : await startKept({ binary, log, dataDir, ...port });
  log.info(`database: embedded replica set ready after ${Math.round(performance.now() - begun)} ms`);
  return database;
}
