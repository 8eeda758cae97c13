/**
 * Looks at the licence of every package that is installed, and refuses those that nobody has agreed to:
 * `npm run licences`.
 */
import { existsSync, readFileSync } from 'node:fs';

/** They ask for no more than that they and their authors are named. */
const ALLOWED = new Set(
  '0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause CC0-1.0 ISC MIT MIT-0 PSF-2.0 Python-2.0 Zlib'.split(' '),
);

/** Those that ask for more, and why that is no harm. */
const EXCEPTIONS: readonly { packages: RegExp; licence: string; reason: string }[] = [
  {
    packages: /^web-push$/,
    licence: 'MPL-2.0',
    reason: 'used as it is: only changes of its own files are to be shared',
  },
  { packages: /^@img\/sharp-/, licence: 'LGPL-3.0-or-later', reason: 'a library of its own, which anyone can replace' },
  { packages: /^caniuse-lite$/, licence: 'CC-BY-4.0', reason: 'data, in development only' },
  { packages: /^slick$/, licence: 'MIT (http://mootools.net/license.txt)', reason: 'MIT, said in its own way' },
];

interface Package {
  license?: string | { type: string };
  licenses?: { type: string }[];
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> };
const found = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, locked]) => ({
    name: path.split('node_modules/').at(-1) ?? path,
    licence: licenceOf(locked) ?? licenceOf(installed(path)) ?? 'none',
  }));
const refused = found.filter(({ name, licence }) => !isAllowed(name, licence));
if (refused.length > 0) {
  const lines = refused.map(({ name, licence }) => `  - ${name}: ${licence}`);
  console.error(`Licences that nobody has agreed to:\n${lines.join('\n')}`);
  process.exitCode = 1;
} else {
  console.log(`The licences of ${found.length} packages are in order.`);
}

/** What the lock file does not say stands in the package itself; those of other platforms are not there. */
function installed(path: string): Package {
  const file = `${path}/package.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Package) : {};
}

function licenceOf({ license, licenses }: Package): string | undefined {
  if (typeof license === 'string') return license;
  // Older packages say it in one of these ways.
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ');
}

/** Of what is joined by OR one is enough; of what is joined by AND every one counts. */
function isAllowed(name: string, licence: string): boolean {
  const excepted = EXCEPTIONS.filter(({ packages }) => packages.test(name)).map((each) => each.licence);
  const isFine = (one: string): boolean => ALLOWED.has(one) || excepted.includes(one);
  if (isFine(licence)) return true;
  return licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every(isFine));
}
