import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Api } from './api.js';
import { childEnvironment } from './child-environment.js';
import { compiled } from './compiled.js';

/** A node in a process of its own: it can be paused, told to stop and killed. */
export class ProcessNode {
  readonly api: Api;

  constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** Every log line so far, parsed. */
    readonly log: Record<string, unknown>[],
  ) {
    this.api = new Api(url);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process was never started');
    return this.child.pid;
  }

  /** The exit code, or the signal that ended it; `undefined` while it runs. */
  get ended(): number | string | undefined {
    return this.child.exitCode ?? this.child.signalCode ?? undefined;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.ended !== undefined) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /** Asks it to stop and waits for its exit code. */
  async terminate(): Promise<number | string> {
    this.child.kill('SIGTERM');
    return this.exited();
  }

  /** Waits until it has ended, by whatever means. */
  async exited(): Promise<number | string> {
    if (this.ended === undefined) await once(this.child, 'exit');
    return this.ended ?? 'unknown';
  }
}

const START_LIMIT_MS = 60_000;

/**
 * Starts `main` with the given environment and waits until it says that it is ready.
 * @param main the program, relative to the repository; a test may have one of its own
 * @throws Error with its output where it ends or stays silent instead
 */
export async function spawnNode(env: Record<string, string>, main = 'src/main.ts'): Promise<ProcessNode> {
  const child = spawn(process.execPath, [compiled(main)], {
    env: childEnvironment({ ...env, LOG_LEVEL: 'info' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whatever becomes of the test, its processes do not outlive it.
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const log: Record<string, unknown>[] = [];
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no start within ${START_LIMIT_MS} ms:\n${output}`)),
      START_LIMIT_MS,
    );
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((each) => each.startsWith('{'))) {
        const entry = JSON.parse(line) as Record<string, unknown>;
        log.push(entry);
        if (entry['msg'] === 'atrium: ready') {
          clearTimeout(timer);
          resolve(String(entry['url']));
        }
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${String(code)} before it was ready:\n${output}`));
    });
  });
  return new ProcessNode(child, url, log);
}
