import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log } from '../../observability/log.js';
import { type MongodBinary } from './mongod-version.js';
import { PortTaken } from './ports.js';
import { signal } from './processes.js';

/** How long mongod may take until it listens, in milliseconds: under Wine 8 s cold, more on a busy machine. */
const LAUNCH_MS = 90_000;
/** How long it may take to end after SIGINT before it is killed, in milliseconds. */
const GRACE_MS = 15_000;
/** How much of mongod's own log an error carries. */
const LAST_LINES = 12;

/** Messages of mongod's log, by the numbers it gives them. */
const WAITING_FOR_CONNECTIONS = '"id":23016';
const LISTENER_FAILED = '"id":20568';

export interface MongodOptions {
  binary: MongodBinary;
  /** Absolute; made if missing. mongod's log is written beside it. */
  dbPath: string;
  port: number;
  setName: string;
  /** Server parameters beside those that every embedded mongod gets. */
  parameters?: readonly string[];
  /** How much of its history it keeps, in MB. */
  oplogMb?: number;
  log: Log;
}

/** One running mongod. */
export interface MongodProcess {
  readonly pid: number;
  readonly port: number;
  /** Resolves when it listens. Rejects, with the last lines of its log, where it ends or takes too long before that. */
  listening(): Promise<void>;
  /** Resolves with the reason, in words, when it has ended, whoever ended it. */
  readonly ended: Promise<string>;
  /** The end of its own log, for a person to read. */
  lastLines(): Promise<string>;
  /** Ends it: in good order, or at once where its files are of no more use. */
  stop(how: 'orderly' | 'at once'): Promise<void>;
}

/** Starts a mongod as a member of a replica set, on loopback only. */
export async function spawnMongod(options: MongodOptions): Promise<MongodProcess> {
  const { binary, dbPath, port } = options;
  await mkdir(dbPath, { recursive: true });
  const logPath = join(dirname(dbPath), 'mongod.log');
  // One log of an earlier run is kept: it tells why that one ended.
  await rename(logPath, `${logPath}.1`).catch(() => undefined);
  const output = await open(logPath, 'w');
  const child = spawn(binary.path, argumentsOf(options), {
    cwd: dbPath,
    // A process group of its own: Ctrl-C in a terminal must reach the server alone, which still needs its database.
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  child.unref();
  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(code === null ? `ended by ${String(by)}` : `ended with code ${code}`));
  }).then((reason) => {
    running = false;
    return reason;
  });
  await output.close();
  const { pid } = child;
  if (pid === undefined) throw new Error(`mongod could not be started: ${await ended}`);

  return {
    pid,
    port,
    ended,
    async listening() {
      const end = Date.now() + LAUNCH_MS;
      // Its own word for it: something else may answer on the port, which mongod then finds taken.
      while (!(await says(logPath, WAITING_FOR_CONNECTIONS))) {
        if (!running) {
          const message = `mongod ${await ended}. ${await lastLines(logPath)}`;
          throw (await says(logPath, LISTENER_FAILED)) ? new PortTaken(message) : new Error(message);
        }
        if (Date.now() > end) {
          throw new Error(`mongod does not listen after ${LAUNCH_MS / 1000} s. ${await lastLines(logPath)}`);
        }
        await sleep(50);
      }
    },
    lastLines: () => lastLines(logPath),
    async stop(how) {
      if (!running) return;
      signal(pid, how === 'at once' ? 'SIGKILL' : 'SIGINT');
      const late = setTimeout(() => signal(pid, 'SIGKILL'), GRACE_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

function argumentsOf({ binary, dbPath, port, setName, parameters = [], oplogMb = 512 }: MongodOptions): string[] {
  return [
    ...['--dbpath', dbPath, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', setName],
    ...['--wiredTigerCacheSizeGB', '0.5', '--oplogSize', String(oplogMb), '--quiet'],
    // Files of diagnostics nobody reads; under Wine writing them crashes it.
    ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ...parameters.flatMap((parameter) => ['--setParameter', parameter]),
    // A killed mongod leaves its socket file behind; a Windows build has none and does not know the option.
    ...(binary.windows ? [] : ['--nounixsocket']),
  ];
}

async function says(logPath: string, message: string): Promise<boolean> {
  return (await readFile(logPath, 'utf8')).includes(message);
}

/** The end of mongod's log, for a person to read. */
async function lastLines(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).trimEnd().split(/\r?\n/).slice(-LAST_LINES);
  return `The last lines of ${path}:\n${lines.map((line) => line.slice(0, 500)).join('\n')}`;
}
