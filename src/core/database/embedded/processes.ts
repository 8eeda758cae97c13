import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeOf } from './cache.js';

const run = promisify(execFile);

/** How long mongod may take to end in good order before it is killed, in milliseconds. */
const GRACE_MS = 15_000;

/**
 * Watches over processes that must not outlive this one, however it ends; SIGKILL lets it do nothing itself.
 * A shell waits for the end of a pipe whose other end only this process holds, then sends the signal.
 * @param removed a folder to delete after that
 * @returns how to call the watch off
 */
export function guard(pids: readonly number[], signal: 'INT' | 'KILL', removed?: string): () => void {
  // Files may still appear in the folder while the killed processes go away, hence the second try.
  const script = [
    'cat >/dev/null; s=$1; d=$2; shift 2; kill -$s "$@"',
    '[ -z "$d" ] || rm -rf "$d" || { sleep 1; rm -rf "$d"; }',
  ].join('\n');
  const watch = spawn('/bin/sh', ['-c', script, 'sh', signal, removed ?? '', ...pids.map(String)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A missing shell costs the watch, not the database.
  watch.on('error', () => undefined);
  watch.unref();
  // A pipe, which keeps Node running like any socket; the types know it as a mere stream.
  (watch.stdin as unknown as { unref(): void }).unref();
  return () => watch.kill('SIGKILL');
}

/** Whether the process with this id is a mongod on this folder: after a restart the id may be another program's. */
export async function isMongodOn(pid: number, dbPath: string): Promise<boolean> {
  return ` ${await commandLine(pid)} `.includes(` --dbpath ${dbPath} `);
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/**
 * Ends a mongod that is not (or no longer) a child of this process, and waits until its folder is free.
 * @param patienceMs how long it may be ending already, so that it is not interrupted twice
 */
export async function endMongod(pid: number, dbPath: string, patienceMs: number): Promise<void> {
  if (await goneWithin(patienceMs)) return;
  signal(pid, 'SIGINT');
  if (await goneWithin(GRACE_MS)) return;
  signal(pid, 'SIGKILL');
  if (!(await goneWithin(GRACE_MS))) throw new Error(`mongod (process ${pid}) on ${dbPath} cannot be stopped`);

  async function goneWithin(ms: number): Promise<boolean> {
    const end = Date.now() + ms;
    while (await isMongodOn(pid, dbPath)) {
      if (Date.now() > end) return false;
      await sleep(50);
    }
    return true;
  }
}

/** The arguments of a process, joined with blanks; empty where it is gone. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
  }
  return run('ps', ['-o', 'args=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
