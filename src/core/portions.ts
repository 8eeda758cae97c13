import { setTimeout as pause } from 'node:timers/promises';

export interface PortionOptions {
  /** So many are handled together. */
  size: number;
  /** All rests together are no longer than this, in milliseconds. */
  mostRestMs: number;
  /** How it rests for so many milliseconds. */
  rest?: (ms: number) => Promise<void>;
}

/** It rests for so many times as long as a portion has taken: others need the database more. */
const REST = 8;

/**
 * Handles many things a portion after the other, with a rest between two, where being late is no harm: whoever needs the
 * database meanwhile waits for a portion at most, not for all of them. What is no more than a portion does not wait.
 * @throws whatever a portion throws; those after it are not handled then
 */
export async function inPortions<T>(
  all: readonly T[],
  { size, mostRestMs, rest = pause }: PortionOptions,
  handle: (some: T[]) => Promise<void>,
): Promise<void> {
  const rests = Math.ceil(all.length / size) - 1;
  for (let at = 0; at < all.length; at += size) {
    const begun = performance.now();
    await handle(all.slice(at, at + size));
    const isLast = at + size >= all.length;
    if (!isLast) await rest(Math.min(REST * (performance.now() - begun), mostRestMs / rests));
  }
}
