import { DateTime } from 'luxon';

export const DIGEST_FREQUENCIES = ['off', 'hourly', 'daily', 'weekly'] as const;
/** How often what would be mailed is mailed together; `off`: each by itself, at once. */
export type DigestFrequency = (typeof DIGEST_FREQUENCIES)[number];

/** When a day's digest comes, on the user's clock: before the day begins, not in the night. */
const HOUR_OF_DAY = 8;
const MONDAY = 1;

/**
 * The end of the period that a moment falls into: the next full hour, eight o'clock, or eight o'clock of a Monday on
 * the user's clock, whatever is done to it. It is always later than the moment itself.
 */
export function nextDigest(frequency: Exclude<DigestFrequency, 'off'>, timeZone: string, after: Date): Date {
  const local = DateTime.fromJSDate(after, { zone: timeZone });
  if (frequency === 'hourly') return nextFullHour(local).toJSDate();
  const firstDay = frequency === 'daily' ? local : local.set({ weekday: MONDAY });
  const days = frequency === 'daily' ? 1 : 7;
  // The day before may still be ahead of its hour; clocks are changed by less than a day.
  for (let at = firstDay.startOf('day'); ; at = at.plus({ days })) {
    const due = at.set({ hour: HOUR_OF_DAY });
    if (due > local) return due.toJSDate();
  }
}

/**
 * The next moment at which the clock shows a full hour. Where clocks are changed by half an hour (Lord Howe Island), it
 * shows half past when the hour is over, so that the next full hour is half an hour later.
 */
function nextFullHour(local: DateTime): DateTime {
  let at = local.startOf('minute');
  do at = at.plus({ minutes: 60 - at.minute });
  while (at.minute !== 0);
  return at;
}
