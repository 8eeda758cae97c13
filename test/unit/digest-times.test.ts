import { expect } from 'chai';
import fc from 'fast-check';
import { DateTime, IANAZone } from 'luxon';
import { DAY, HOUR, MINUTE } from '../../src/core/clock.js';
import { nextDigest } from '../../src/modules/notifications/digests/digest-times.js';

const ZONES = [
  'UTC',
  'Asia/Amman',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Africa/Cairo',
  'Europe/Berlin',
  'Australia/Lord_Howe',
];
const [FROM, UNTIL] = [Date.parse('2024-01-01'), Date.parse('2030-01-01')];

/** When the clocks of a zone are changed, to the minute. */
function changesOf(name: string): number[] {
  const zone = IANAZone.create(name);
  const changes: number[] = [];
  for (let day = FROM; day < UNTIL; day += DAY) {
    let [low, high] = [day, day + DAY];
    if (zone.offset(low) === zone.offset(high)) continue;
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (zone.offset(middle) === zone.offset(low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
}

/** A moment in a zone: as often as not within hours of a change of its clocks, where it has any. */
function momentIn(timeZone: string): fc.Arbitrary<[zone: string, moment: Date]> {
  const changes = changesOf(timeZone);
  const anyTime = fc.integer({ min: FROM, max: UNTIL });
  const atChange = changes.map((change) => fc.integer({ min: change - 3 * HOUR, max: change + 3 * HOUR }));
  const time = atChange.length === 0 ? anyTime : fc.oneof(anyTime, fc.oneof(...atChange));
  return time.map((value) => [timeZone, new Date(value)]);
}

describe('The time of a digest', () => {
  it('is the next full hour, eight o’clock, or eight o’clock on Monday, where its reader lives', () => {
    const at = (frequency: 'hourly' | 'daily' | 'weekly', timeZone: string, after: string): string =>
      nextDigest(frequency, timeZone, new Date(after)).toISOString();
    // A Saturday, half past four in the afternoon in Amman.
    expect(at('hourly', 'Asia/Amman', '2026-11-21T13:30:00Z')).to.equal('2026-11-21T14:00:00.000Z');
    expect(at('hourly', 'Asia/Kathmandu', '2026-11-21T13:30:00Z')).to.equal('2026-11-21T14:15:00.000Z');
    expect(at('daily', 'Asia/Amman', '2026-11-21T13:30:00Z')).to.equal('2026-11-22T05:00:00.000Z');
    expect(at('daily', 'Asia/Amman', '2026-11-21T04:59:59Z')).to.equal('2026-11-21T05:00:00.000Z');
    expect(at('daily', 'Asia/Amman', '2026-11-21T05:00:00Z')).to.equal('2026-11-22T05:00:00.000Z');
    expect(at('weekly', 'Asia/Amman', '2026-11-21T13:30:00Z')).to.equal('2026-11-23T05:00:00.000Z');
    expect(at('weekly', 'Asia/Amman', '2026-11-23T05:00:00Z')).to.equal('2026-11-30T05:00:00.000Z');
    // Already Sunday there.
    expect(at('daily', 'Pacific/Kiritimati', '2026-11-21T13:30:00Z')).to.equal('2026-11-21T18:00:00.000Z');
    // Clocks go back in the night before.
    expect(at('daily', 'Europe/Berlin', '2026-10-24T20:00:00Z')).to.equal('2026-10-25T07:00:00.000Z');
    // At two they go forward to half past two, and in autumn back to half past one.
    expect(at('hourly', 'Australia/Lord_Howe', '2027-10-02T14:30:00Z')).to.equal('2027-10-02T16:00:00.000Z');
    expect(at('hourly', 'Australia/Lord_Howe', '2027-04-03T14:45:00Z')).to.equal('2027-04-03T15:30:00.000Z');
    expect(at('hourly', 'Australia/Lord_Howe', '2027-04-03T15:15:00Z')).to.equal('2027-04-03T15:30:00.000Z');
  });

  it('is later than the moment, by no more than a period, and the same for the whole period', () => {
    fc.assert(
      fc.property(
        fc.oneof(...ZONES.map(momentIn)),
        fc.constantFrom('hourly' as const, 'daily' as const, 'weekly' as const),
        ([timeZone, after], frequency) => {
          const due = nextDigest(frequency, timeZone, after);
          const longest = { hourly: 1.5 * HOUR, daily: DAY + 2 * HOUR, weekly: 7 * DAY + 2 * HOUR }[frequency];
          expect(due.getTime())
            .to.be.above(after.getTime())
            .and.at.most(after.getTime() + longest);
          const local = DateTime.fromJSDate(due, { zone: timeZone });
          expect([local.minute, local.second, local.millisecond]).to.deep.equal([0, 0, 0]);
          if (frequency !== 'hourly') expect(local.hour).to.equal(8);
          if (frequency === 'weekly') expect(local.weekday).to.equal(1);
          const between = new Date((after.getTime() + due.getTime()) / 2);
          expect(nextDigest(frequency, timeZone, between)).to.deep.equal(due);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
