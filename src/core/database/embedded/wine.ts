import { execFile } from 'node:child_process';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Log } from '../../observability/log.js';
import { codeOf } from './cache.js';
import { findOnPath, isExecutable } from './mongod-version.js';

const run = promisify(execFile);

/** Where Debian's package puts it; the PATH has only a script of the package `wine`. */
const DEBIAN_WINE = '/usr/lib/wine/wine64';
const INSTALL = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=60', 'wine64'];

/** Wine keeps its registry in these files, written last. */
const REGISTRY = ['system.reg', 'user.reg', 'userdef.reg'];

/** What Wine must be told so that it runs a 64-bit console program and asks for nothing. */
export function wineEnvironment(prefix: string): Record<string, string> {
  return { WINEPREFIX: prefix, WINEARCH: 'win64', WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' };
}

/**
 * The path of a 64-bit Wine. Debian's package is installed where it is missing and this process is root.
 * @throws Error with the command to run where it cannot be installed from here
 */
export async function provideWine(log: Log, env: NodeJS.ProcessEnv): Promise<string> {
  const found = await findWine(env);
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || (await findOnPath('apt-get', env)) === undefined) {
    throw new Error(
      'no mongod for this machine without Wine, and Wine is not installed. On Debian or Ubuntu run: ' +
        'sudo apt-get update && sudo apt-get install -y --no-install-recommends wine64',
    );
  }
  log.info('database: installing wine64 from the packages of the system');
  const quietly = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, maxBuffer: 64 * 1024 * 1024 };
  // A fresh image has no package lists, an old one has outdated lists: both fail once.
  await run('apt-get', INSTALL, quietly).catch(async () => {
    await run('apt-get', ['update'], quietly);
    await run('apt-get', INSTALL, quietly);
  });
  const installed = await findWine(env);
  if (installed === undefined) throw new Error('wine64 was installed, but its program is not where it was expected');
  return installed;
}

/**
 * Makes Wine's own folder (its C: drive and registry) at `prefix` unless it is there.
 * @param program a program whose `--version` makes Wine set the folder up
 */
export async function providePrefix(wine: string, program: string, prefix: string): Promise<void> {
  if (await hasRegistry(prefix)) return;
  const draft = await mkdtemp(`${prefix}-`);
  try {
    await run(wine, [program, '--version'], { env: { ...process.env, ...wineEnvironment(draft) }, timeout: 120_000 });
    // Wine's server, which outlives the program, saves the registry as it ends.
    const end = Date.now() + 60_000;
    while (!(await hasRegistry(draft))) {
      if (Date.now() > end) throw new Error('Wine did not finish its folder within a minute');
      await sleep(50);
    }
    await rename(draft, prefix).catch((error: unknown) => {
      // Another process was quicker; its folder is as good.
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function findWine(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return (await isExecutable(DEBIAN_WINE)) ? DEBIAN_WINE : await findOnPath('wine64', env);
}

async function hasRegistry(prefix: string): Promise<boolean> {
  return Promise.all(REGISTRY.map((name) => access(join(prefix, name)))).then(
    () => true,
    () => false,
  );
}
