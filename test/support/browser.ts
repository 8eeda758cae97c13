import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { install } from './debian.js';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';
/** Beside the browser a font for Arabic, and what tells whether there is one. */
const PACKAGES = ['chromium', 'fontconfig', 'fonts-dejavu-core'];

/**
 * A real browser: Debian's Chromium with a font for Arabic, installed on the way where that is possible.
 * @param switches of its command line, beside those that every test needs
 * @throws Error with the command to run where it has to be installed by hand
 */
export async function openBrowser(switches: readonly string[] = []): Promise<Browser> {
  if (!existsSync(CHROMIUM) || !(await hasArabicFont())) await install(PACKAGES);
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
      ...switches,
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
