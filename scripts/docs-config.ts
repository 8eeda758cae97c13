import { readFileSync, writeFileSync } from 'node:fs';
import { settings } from '../src/config.js';

/**
 * Writes the README's configuration table from the settings in use; with `--check` it only says whether the table is
 * up to date.
 */
const BEGIN = '<!-- configuration: written by `npm run docs:config` -->';
const END = '<!-- /configuration -->';

const rows = Object.values(settings).map(({ env, about, ...setting }) => {
  const description = setting.schema.describe() as { flags?: { default?: unknown }; allow?: unknown[] };
  const byDefault = 'defaultText' in setting ? setting.defaultText : defaultOf(description.flags?.default);
  const values = description.allow
    ? ` One of ${description.allow.map((value) => `\`${String(value)}\``).join(', ')}.`
    : '';
  return `| \`${env}\` | ${byDefault} | ${about}${values} |`;
});
const table = [BEGIN, '', '| variable | default | what |', '|---|---|---|', ...rows, '', END].join('\n');

const path = new URL('../README.md', import.meta.url);
const readme = readFileSync(path, 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error(`README.md lacks ${BEGIN} … ${END}`);
const updated = `${before}${table}${after}`;

if (process.argv.includes('--check')) {
  if (updated !== readme) throw new Error('The configuration table in README.md is out of date: npm run docs:config');
} else {
  writeFileSync(path, updated);
}

function defaultOf(value: unknown): string {
  return value === undefined ? '—' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}
