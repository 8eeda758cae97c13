import { setTimeout as pause } from 'node:timers/promises';

/**
 * Does something so many times a second, whether or not what was begun has ended: a slow answer must not slow the
 * questions down.
 */
export async function atRate(perSecond: number, seconds: number, work: (index: number) => void): Promise<void> {
  const start = performance.now();
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const due = start + (index * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await pause(early);
    work(index);
  }
}

/** Waits until something is so, looking often, or for as long as is sane; answers whether it is. */
export async function until(isSo: () => boolean, patienceMs: number): Promise<boolean> {
  const end = performance.now() + patienceMs;
  while (!isSo()) {
    if (performance.now() > end) return false;
    await pause(2);
  }
  return true;
}

/** Milliseconds since 1970 with fractions: the same in every process of this machine. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
