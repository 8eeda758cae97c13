import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lock older than this many milliseconds is taken to be left behind: nothing done under one takes longer. */
const STALE_MS = 5 * 60_000;

/** Locks this process holds now, to tell them from those of an earlier process that had the same id. */
const held = new Set<string>();

/** The folder, outside the repository, of what is fetched once per machine. It is made if missing. */
export async function cacheDirectory(env: NodeJS.ProcessEnv): Promise<string> {
  const base = env['XDG_CACHE_HOME'] ?? '';
  const path = join(base === '' ? join(homedir(), '.cache') : base, 'atrium');
  await mkdir(path, { recursive: true });
  return path;
}

/**
 * Runs `work` while no other process of this machine runs under the same lock file.
 *
 * It saves work rather than guards integrity: where two processes break the same stale lock at once, both may enter.
 * What they make is put in place by an atomic rename, and mongod itself refuses a folder that is in use.
 * @param path of the lock file; its folder exists
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await tryLock(path))) await sleep(100);
  held.add(path);
  try {
    return await work();
  } finally {
    held.delete(path);
    await rm(path, { force: true });
  }
}

/** Whether a process with this id runs. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** The system's code of an error (`ENOENT`), or an empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  if (await isStale(path)) await rm(path, { force: true });
  return false;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const age = Date.now() - mtimeMs;
    if (age > STALE_MS) return true;
    // The file is made before its text is written.
    if (text === '') return age > 5_000;
    const pid = Number.parseInt(text, 10);
    // In a container the id of a killed process comes back with the next start.
    return pid === process.pid ? !held.has(path) : !isAlive(pid);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
