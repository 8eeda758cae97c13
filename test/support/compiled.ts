import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where packages are found as they are from the sources. */
const CACHE = 'node_modules/.cache';

/** Started like the product itself, but with something of a test's own. */
const PROGRAMS_OF_TESTS = [
  'test/support/crashing-node.ts',
  'test/support/lock-holder.ts',
  'test/security/talkative-node.ts',
];

/** What operators start beside it. */
const SCRIPTS = ['scripts/backup.ts', 'scripts/restore.ts'];

/**
 * Compiles the product once for every process that tests start: what each would do for itself takes most of its start.
 * @returns how to remove it again
 */
export async function compile(): Promise<() => Promise<void>> {
  mkdirSync(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'atrium-test-'));
  await build({
    entryPoints: ['src/**/*.ts', 'jobs/**/*.ts', ...SCRIPTS, ...PROGRAMS_OF_TESTS],
    outdir: folder,
    outbase: '.',
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  await copyFile('package.json', join(folder, 'package.json'));
  process.env['TEST_COMPILED'] = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/** The compiled module of a source, both relative to the repository. */
export function compiled(source: string): string {
  const folder = process.env['TEST_COMPILED'];
  if (folder === undefined) throw new Error('TEST_COMPILED is missing: is test/support/global.ts required?');
  return join(folder, source.replace(/\.ts$/, '.js'));
}
