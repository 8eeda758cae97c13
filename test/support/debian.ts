import { execFile } from 'node:child_process';
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
