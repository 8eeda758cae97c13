/**
 * Time as a dependency. Code that decides by the time of day takes a `Clock`, so that a test can move it
 * instead of sleeping. Timers that only pace work (renewals, polls) use real time.
 */
export interface Clock {
  now(): Date;
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => new Date() };

/** The instant `milliseconds` after `date`. */
export function later(date: Date, milliseconds: number): Date {
  return new Date(date.getTime() + milliseconds);
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
