import { IANAZone } from 'luxon';
import { DAY, MINUTE } from '../../core/clock.js';

/** In the order of ISO 8601: Monday is the first. */
export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A quiet time that begins on each of these days; it ends on the day after where `to` is not later than `from`. */
export interface QuietSpan {
  days: Weekday[];
  /** Local time of the day, as 22:00. */
  from: string;
  to: string;
}

export interface QuietHours {
  spans: QuietSpan[];
  /** Whether e-mail waits as well. */
  email: boolean;
}

/** A week of silence is not waited out at once, but looked at again. */
const LONGEST_WAIT = 8 * DAY;
/** More than any zone is ahead of UTC or behind it, and a span's day before. */
const MARGIN = 3 * DAY;
const MINUTES_OF_DAY = DAY / MINUTE;
/** Days are counted from 1 January 1970, which was a Thursday. */
const FIRST_WEEKDAY = WEEKDAYS.indexOf('THU');

/**
 * When the quiet time ends that a moment falls into, or `undefined` where it falls into none. Spans that touch or
 * overlap are one quiet time.
 *
 * Times are those on the user's clock, whatever is done to it. A time that is skipped when clocks go forward stands for
 * the moment of the change: a quiet time until 02:30 of that night ends when the clock jumps from 02:00 to 03:00. Of a
 * time that comes twice when clocks go back a quiet time begins with the first and ends with the second: it is never
 * loud while the clock shows a quiet time, and never twice in one night.
 */
export function quietUntil(spans: readonly QuietSpan[], zoneName: string, at: Date): Date | undefined {
  if (spans.length === 0) return undefined;
  const start = at.getTime();
  const limit = start + LONGEST_WAIT;
  const clocks = clocksOf(zoneName, start - MARGIN, limit + MARGIN);
  let end = start;
  for (;;) {
    const reached = end;
    const today = Math.floor((reached + aheadAt(reached, clocks)) / DAY);
    // A night that began yesterday may still last; clocks that go back over midnight make it the day before.
    for (let day = today - 2; day <= today + 1; day += 1) {
      const weekday = WEEKDAYS[(day + FIRST_WEEKDAY) % WEEKDAYS.length];
      for (const { days, from, to } of spans) {
        if (weekday === undefined || !days.includes(weekday)) continue;
        const local = day * DAY + minuteOf(from) * MINUTE;
        if (firstReading(local, clocks) > end) continue;
        end = Math.max(end, lastReading(local + lengthOf(from, to) * MINUTE, clocks));
      }
    }
    if (end === reached || end >= limit) break;
  }
  return end === start ? undefined : new Date(Math.min(end, limit));
}

/** Whether the spans leave some time of the week: without any, whatever waits would wait for ever. */
export function leavesTime(spans: readonly QuietSpan[]): boolean {
  const week = WEEKDAYS.length * MINUTES_OF_DAY;
  const quiet = new Uint8Array(week);
  for (const { days, from, to } of spans) {
    for (const day of days) {
      const start = WEEKDAYS.indexOf(day) * MINUTES_OF_DAY + minuteOf(from);
      const end = start + lengthOf(from, to);
      quiet.fill(1, start, end);
      // Sunday night ends on Monday.
      quiet.fill(1, 0, Math.max(0, end - week));
    }
  }
  return quiet.includes(0);
}

/** How far a zone's clocks are ahead of UTC during some days, and when that changes, if it does. */
interface Clocks {
  before: number;
  after: number;
  change: number;
}

/** Clocks are changed months apart, so once at most in the days that are looked at. */
function clocksOf(zoneName: string, from: number, to: number): Clocks {
  const zone = IANAZone.create(zoneName);
  const ahead = (minute: number): number => zone.offset(minute * MINUTE) * MINUTE;
  let [low, high] = [Math.floor(from / MINUTE), Math.ceil(to / MINUTE)];
  const [before, after] = [ahead(low), ahead(high)];
  if (before === after) return { before, after, change: Infinity };
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (ahead(middle) === before) low = middle;
    else high = middle;
  }
  return { before, after, change: high * MINUTE };
}

function aheadAt(moment: number, { before, after, change }: Clocks): number {
  return moment < change ? before : after;
}

/** The first moment at which the clocks show this time or a later one. Local times are written as if in UTC. */
function firstReading(local: number, { before, after, change }: Clocks): number {
  return local - before < change ? local - before : Math.max(change, local - after);
}

/** The moment from which on the clocks show this time or a later one, and no earlier one again. */
function lastReading(local: number, { before, after, change }: Clocks): number {
  return local - after > change ? local - after : Math.min(change, local - before);
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** In minutes; a span whose ends are the same lasts a whole day. */
function lengthOf(from: string, to: string): number {
  const minutes = minuteOf(to) - minuteOf(from);
  return minutes > 0 ? minutes : minutes + MINUTES_OF_DAY;
}
