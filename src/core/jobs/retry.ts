import { DAY, MINUTE } from '../clock.js';

const DELAYS = [1 * MINUTE, 5 * MINUTE, 30 * MINUTE];
const JITTER = 0.2;
/** Nothing is kept waiting for longer, whatever the other side asks for. */
const LONGEST = DAY;

/**
 * How long to wait before trying again what failed: 1, 5 and 30 minutes, spread by up to 20 % so that what failed
 * together does not come back together.
 * @param attempts how often it has been tried, at least 1
 * @param retryAfterMs what the other side asked for; never less than that is waited, up to a day
 * @returns milliseconds, or `undefined` where it is time to give up
 */
export function retryDelay(attempts: number, retryAfterMs = 0, random: () => number = Math.random): number | undefined {
  const delay = DELAYS[attempts - 1];
  if (delay === undefined) return undefined;
  return Math.max(Math.round(delay * (1 + random() * JITTER)), Math.min(retryAfterMs, LONGEST));
}

/** The same for what is never given up: after the last of these delays it is tried again after the longest of them. */
export function lastingDelay(attempts: number, random?: () => number): number {
  return retryDelay(Math.min(attempts, DELAYS.length), 0, random) ?? LONGEST;
}
