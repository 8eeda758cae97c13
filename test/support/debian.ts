import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs Debian's packages where that is possible.
 * @throws Error with the command to run where they have to be installed by hand
 */
export async function install(packages: readonly string[]): Promise<void> {
  const command = ['install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0) throw new Error(`Something is missing: sudo apt-get ${command.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another test may be installing something.
  const patience = ['-o', 'DPkg::Lock::Timeout=120'];
  await run('apt-get', [...patience, 'update', '-qq'], { env });
  await run('apt-get', [...patience, ...command], { env });
}

/** Puts the files of one of Debian's packages into a folder, without what it depends on: for programs that need none. */
export async function unpack(name: string, folder: string): Promise<void> {
  const download = () => run('apt-get', ['download', name], { cwd: folder });
  // A fresh image has no package lists, an old one has outdated lists: both fail once.
  await download().catch(async () => {
    await run('apt-get', ['update', '-qq']);
    await download();
  });
  const files = await readdir(folder);
  const [archive = ''] = files.filter((file) => file.endsWith('.deb'));
  await run('dpkg-deb', ['--extract', archive, '.'], { cwd: folder });
}
