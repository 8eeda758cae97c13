import { readFile, writeFile } from 'node:fs/promises';
import mjml from 'mjml-core';
import elements from 'mjml-preset-core';

/**
 * Writes the pages of mails as HTML, made from their MJML source; with `--check` it only says whether they are up to
 * date. It is done here and not in the product: loading MJML takes a second or two, in which a process does nothing
 * else, and 60 MB.
 */
const FOLDER = new URL('../src/modules/notifications/templates/', import.meta.url);
const [source, target] = [new URL('layout.mjml', FOLDER), new URL('layouts.ts', FOLDER)];
const LANGUAGES = [
  { lang: 'en', dir: 'ltr', start: 'left' },
  { lang: 'ar', dir: 'rtl', start: 'right' },
] as const;

const layout = await readFile(source, 'utf8');
const pages = await Promise.all(
  LANGUAGES.map(async ({ lang, dir, start }) => {
    const filled = layout.replaceAll('%lang%', lang).replaceAll('%dir%', dir).replaceAll('%start%', start);
    const { html } = await mjml.default(filled, {
      presets: [elements],
      validationLevel: 'strict',
      ignoreIncludes: true,
      keepComments: false,
      minify: true,
      // Neither shortens what there is to shorten by much, and both would have to know that there are placeholders.
      minifyOptions: { minifyCss: false, minifySvg: false },
    });
    return `  ${lang}: ${literal(html.trim())},\n`;
  }),
);
const written = `/** The page of a mail for each language, to be filled in. Written by \`npm run mails\` from layout.mjml. */
export const LAYOUTS = {
${pages.join('')}};
`;

if (process.argv.includes('--check')) {
  if (written !== (await readFile(target, 'utf8')))
    throw new Error('The pages of mails are out of date: npm run mails');
} else {
  await writeFile(target, written);
}

function literal(text: string): string {
  return `\`${text.replaceAll(/[\\`]|\$\{/g, (special) => `\\${special}`)}\``;
}
