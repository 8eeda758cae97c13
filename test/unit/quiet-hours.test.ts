import { expect } from 'chai';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { DAY, HOUR, MINUTE } from '../../src/core/clock.js';
import {
  leavesTime,
  type QuietSpan,
  quietUntil,
  type Weekday,
  WEEKDAYS,
} from '../../src/modules/notifications/quiet-hours.js';

const EVERY_DAY = [...WEEKDAYS];
const nightly = (from: string, to: string, days: Weekday[] = EVERY_DAY): QuietSpan[] => [{ days, from, to }];

/** When it becomes loud, on the clock of the zone. */
const endIn = (spans: QuietSpan[], zone: string, at: string): string | undefined => {
  const end = quietUntil(spans, zone, new Date(at));
  return end && DateTime.fromJSDate(end, { zone }).toFormat("ccc d HH:mm ('UTC'Z)");
};

describe('Quiet hours', () => {
  it('last over midnight, and belong to the day on which they begin', () => {
    const fridays = nightly('22:00', '07:00', ['FRI']);
    expect(endIn(fridays, 'Asia/Amman', '2026-11-20T18:59:00Z')).to.equal(undefined);
    expect(endIn(fridays, 'Asia/Amman', '2026-11-20T19:00:00Z')).to.equal('Sat 21 07:00 (UTC+3)');
    expect(endIn(fridays, 'Asia/Amman', '2026-11-21T03:59:59.999Z')).to.equal('Sat 21 07:00 (UTC+3)');
    expect(endIn(fridays, 'Asia/Amman', '2026-11-21T04:00:00Z')).to.equal(undefined);
    expect(endIn(fridays, 'Asia/Amman', '2026-11-21T20:00:00Z')).to.equal(undefined);
  });

  it('last a whole day where they begin and end at the same time', () => {
    expect(endIn(nightly('00:00', '00:00', ['SAT']), 'UTC', '2026-11-21T12:00:00Z')).to.equal('Sun 22 00:00 (UTC+0)');
  });

  it('are one where they touch or overlap', () => {
    const weekend = [
      ...nightly('18:00', '09:00', ['FRI']),
      ...nightly('08:00', '00:00', ['SAT']),
      ...nightly('00:00', '20:00', ['SUN']),
    ];
    expect(endIn(weekend, 'UTC', '2026-11-20T18:00:00Z')).to.equal('Sun 22 20:00 (UTC+0)');
    expect(endIn(weekend, 'UTC', '2026-11-22T20:00:00Z')).to.equal(undefined);
  });

  it('are those of the user’s own zone, from one end of the world to the other', () => {
    const nights = nightly('22:00', '07:00', ['SAT']);
    expect(endIn(nights, 'Pacific/Kiritimati', '2026-11-21T08:00:00Z')).to.equal('Sun 22 07:00 (UTC+14)');
    expect(endIn(nights, 'Pacific/Kiritimati', '2026-11-22T09:00:00Z')).to.equal(undefined);
    expect(endIn(nights, 'Pacific/Pago_Pago', '2026-11-22T09:00:00Z')).to.equal('Sun 22 07:00 (UTC-11)');
    expect(endIn(nights, 'Pacific/Pago_Pago', '2026-11-21T08:00:00Z')).to.equal(undefined);
  });

  it('end when the clock jumps over their end, and begin when it jumps over their beginning', () => {
    // In Berlin 02:00 is followed by 03:00 on that night.
    const [before, jump] = ['2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'];
    expect(endIn(nightly('22:00', '02:30'), 'Europe/Berlin', before)).to.equal('Sun 29 03:00 (UTC+2)');
    expect(endIn(nightly('22:00', '02:30'), 'Europe/Berlin', jump)).to.equal(undefined);
    expect(endIn(nightly('02:30', '07:00'), 'Europe/Berlin', before)).to.equal(undefined);
    expect(endIn(nightly('02:30', '07:00'), 'Europe/Berlin', jump)).to.equal('Sun 29 07:00 (UTC+2)');
    // All of it is skipped.
    expect(endIn(nightly('02:15', '02:45'), 'Europe/Berlin', jump)).to.equal(undefined);
  });

  it('begin with the first and end with the second of a time that comes twice', () => {
    // In New York 01:59 is followed by 01:00 on that night.
    const [first, second] = ['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'];
    expect(endIn(nightly('22:00', '01:30'), 'America/New_York', first)).to.equal('Sun 1 01:30 (UTC-5)');
    expect(endIn(nightly('22:00', '01:30'), 'America/New_York', second)).to.equal(undefined);
    expect(endIn(nightly('01:30', '07:00'), 'America/New_York', first)).to.equal('Sun 1 07:00 (UTC-5)');
    expect(endIn(nightly('01:15', '01:45'), 'America/New_York', '2026-11-01T05:50:00Z')).to.equal(
      'Sun 1 01:45 (UTC-5)',
    );
  });

  it('are looked at again after eight days where they never end', () => {
    const at = new Date('2026-11-21T12:00:00Z');
    expect(quietUntil(nightly('00:00', '00:00'), 'UTC', at)).to.deep.equal(new Date(at.getTime() + 8 * DAY));
  });

  const time = fc.nat(24 * 60 - 1).map((minute) => {
    const [hours, minutes] = [Math.floor(minute / 60), minute % 60];
    return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
  });
  const span = fc.record({
    days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
    from: time,
    to: time,
  });
  const spans = fc.array(span, { minLength: 1, maxLength: 4 });
  /** Whether the zone's clocks show a time of a span, told from the clock's face alone. */
  const isOnTheClock = (all: QuietSpan[], zone: string, at: number): boolean => {
    const local = DateTime.fromMillis(at, { zone });
    const [now, today] = [local.toFormat('HH:mm'), WEEKDAYS[local.weekday - 1]!];
    const yesterday = WEEKDAYS[(local.weekday + 5) % 7]!;
    return all.some(({ days, from, to }) =>
      to > from
        ? days.includes(today) && from <= now && now < to
        : (days.includes(today) && from <= now) || (days.includes(yesterday) && now < to),
    );
  };
  // Around changes of clocks in both directions, by an hour and by half of one, at midnight too, and where there are none.
  const nights = [
    ['Europe/Berlin', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00Z'],
    ['America/New_York', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
    ['Asia/Beirut', '2026-03-28T22:00Z'],
    ['Asia/Beirut', '2026-10-24T21:00Z'],
    ['Pacific/Kiritimati', '2026-06-01T00:00Z'],
    ['Pacific/Pago_Pago', '2026-06-01T00:00Z'],
    ['Asia/Kathmandu', '2026-06-01T00:00Z'],
  ] as const;
  const somewhere = fc
    .tuple(fc.constantFrom(...nights), fc.integer({ min: -30 * 60, max: 30 * 60 }))
    .map(([[zone, night], minutes]) => ({ zone, at: Date.parse(night) + minutes * MINUTE }));
  /** Whether the clocks go back in the three hours around it: then a quiet time may bridge the time between. */
  const isTwice = (zone: string, at: number): boolean =>
    DateTime.fromMillis(at - 3 * HOUR, { zone }).offset > DateTime.fromMillis(at + 3 * HOUR, { zone }).offset;

  it('are never broken: it is quiet whenever the clock shows a quiet time, and loud otherwise', () => {
    fc.assert(
      fc.property(spans, somewhere, (all, { zone, at }) => {
        const isQuiet = quietUntil(all, zone, new Date(at)) !== undefined;
        if (isOnTheClock(all, zone, at)) expect(isQuiet).to.equal(true);
        else if (!isTwice(zone, at)) expect(isQuiet).to.equal(false);
      }),
      { numRuns: 500 },
    );
  });

  it('end later than now, when it is loud, and not before', () => {
    fc.assert(
      fc.property(spans.filter(leavesTime), somewhere, (all, { zone, at }) => {
        const end = quietUntil(all, zone, new Date(at));
        if (!end) return;
        expect(end.getTime()).to.be.above(at);
        expect(quietUntil(all, zone, new Date(end.getTime() - 1))).to.deep.equal(end);
        if (end.getTime() < at + 8 * DAY) expect(quietUntil(all, zone, end)).to.equal(undefined);
      }),
      { numRuns: 500 },
    );
  });

  it('leave some time of the week, unless they cover all of it', () => {
    expect(leavesTime([])).to.equal(true);
    expect(leavesTime(nightly('00:00', '23:59'))).to.equal(true);
    expect(leavesTime(nightly('00:00', '00:00'))).to.equal(false);
    expect(leavesTime([...nightly('09:00', '17:00'), ...nightly('17:00', '09:00')])).to.equal(false);
    expect(leavesTime([...nightly('09:00', '17:00'), ...nightly('17:00', '09:00', ['MON', 'TUE'])])).to.equal(true);
  });
});
