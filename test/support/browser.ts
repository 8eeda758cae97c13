import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';

/**
 * A real browser: Debian's Chromium, installed on the way where that is possible.
 * @throws Error with the command to run where it has to be installed by hand
 */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) await install();
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

async function install(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error('Chromium is missing: sudo apt-get install -y --no-install-recommends chromium');
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { env });
}
