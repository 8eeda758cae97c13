import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs Debian's packages where that is possible.
 * @throws Error with the command to run where they have to be installed by hand
 */
export async function install(packages: readonly string[]): Promise<void> {
  const command = ['install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0) throw new Error(`Something is missing: sudo apt-get ${command.join(' ')}`);
  await apt(['update', '-qq']);
  await apt(command);
}

/** Puts the files of one of Debian's packages into a folder, without what it depends on: for programs that need none. */
export async function unpack(name: string, folder: string): Promise<void> {
  const download = () => apt(['download', name], folder);
  // A fresh image has no package lists, an old one has outdated lists: both fail once.
  await download().catch(async () => {
    await apt(['update', '-qq']);
    await download();
  });
  const files = await readdir(folder);
  const [archive = ''] = files.filter((file) => file.endsWith('.deb'));
  await run('dpkg-deb', ['--extract', archive, '.'], { cwd: folder });
}

/** One at a time, whichever process asks: apt waits for its other locks, but not for that of the package lists. */
function apt(args: readonly string[], cwd?: string) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = join(tmpdir(), 'atrium-test-apt.lock');
  return run('flock', ['--timeout', '300', lock, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args], { cwd, env });
}
