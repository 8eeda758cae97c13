import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';
/** Beside the browser a font for Arabic, and what tells whether there is one. */
const PACKAGES = ['chromium', 'fontconfig', 'fonts-dejavu-core'];

/**
 * A real browser: Debian's Chromium with a font for Arabic, installed on the way where that is possible.
 * @throws Error with the command to run where it has to be installed by hand
 */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM) || !(await hasArabicFont())) await install();
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

async function hasArabicFont(): Promise<boolean> {
  try {
    return (await run('fc-list', [':lang=ar', 'family'])).stdout.trim() !== '';
  } catch {
    return false;
  }
}

async function install(): Promise<void> {
  if (process.getuid?.() !== 0) {
    const command = `sudo apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`;
    throw new Error(`Chromium or a font for Arabic is missing: ${command}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES], { env });
}
