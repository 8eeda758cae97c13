import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest major version whose change streams and transactions Atrium builds on. */
const OLDEST_MAJOR = 7;

/** A mongod that can be started. */
export interface MongodBinary {
  path: string;
  /** As it says itself, for example `7.0.15`. */
  version: string;
  /** It is a Windows build, so it runs under Wine. */
  windows: boolean;
}

/**
 * Asks a mongod what it is.
 * @throws Error where it cannot be run, is no mongod, or is older than 7.0
 */
export async function inspectMongod(path: string): Promise<MongodBinary> {
  // Generous, because the first program under Wine starts a whole session of it.
  const { stdout } = await run(path, ['--version'], { timeout: 60_000 });
  const version = /db version v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${path} does not answer --version as mongod does`);
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new Error(`${path} is mongod ${version}; ${OLDEST_MAJOR}.0 or newer is needed`);
  }
  return { path, version, windows: /"distmod":\s*"windows"/.test(stdout) };
}

/** The first executable of this name on the PATH. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** Whether a file is there and may be executed. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
