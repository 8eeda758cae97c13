import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const children = new Set<ChildProcess>();

function remember(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

// Nothing is left running where the benchmark is interrupted or fails.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A process of its own that the benchmark started. */
export interface Started {
  /** Where it listens. */
  url: string;
  pid: number | undefined;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Starts Atrium's own main program and waits until it is ready.
 * @param profileDir where the process leaves a CPU profile when it ends
 * @throws Error with its output where it does not become ready
 */
export async function startAtrium(env: Record<string, string>, profileDir?: string): Promise<Started> {
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const child = spawn(process.execPath, [...profile, '--import', 'tsx', 'src/main.ts'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  remember(child);
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}:\n${output}`));
    const timer = setTimeout(() => fail('no start in time'), START_LIMIT_MS);
    child.once('exit', (code) => fail(`ended with ${String(code)} before it was ready`));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        const ready = /"url":"([^"]+)".*"atrium: ready"/.exec(output);
        if (ready?.[1] === undefined) return;
        clearTimeout(timer);
        resolve(ready[1]);
      });
    }
  });
  // From here on its log is read, as any log collector does, and not looked at: that is not this process' work.
  for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').resume();
  return { url, pid: child.pid, stop: () => ended(child), kill: () => ended(child, 'SIGKILL') };
}

/** A hundredth of a second, in which Linux counts processor time. */
const TICK_MS = 10;

/** Processor time of processes, in milliseconds, of all their threads together. */
export async function processorMs(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name may hold spaces and brackets; what follows it does not.
      const [user = 0, system = 0] = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number);
      return (user + system) * TICK_MS;
    }),
  );
  return each.reduce((sum, ms) => sum + ms, 0);
}

/** Another part of the benchmark in a process of its own, spoken to by messages. */
export class Helper {
  private constructor(private readonly child: ChildProcess) {}

  /** @param file next to this one; it says `ready` when it is */
  static async start(file: string, env: Record<string, string>): Promise<Helper> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...env },
    });
    remember(child);
    const helper = new Helper(child);
    await helper.answer();
    return helper;
  }

  /** Sends a message and waits for the answer. */
  async ask<T>(message: object): Promise<T> {
    const answer = this.answer();
    this.child.send(message);
    return (await answer) as T;
  }

  stop(): Promise<void> {
    return ended(this.child);
  }

  private answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => reject(new Error('a helper process of the benchmark ended early'));
      this.child.once('exit', end);
      this.child.once('message', (message) => {
        this.child.off('exit', end);
        resolve(message);
      });
    });
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
