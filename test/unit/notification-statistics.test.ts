import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type DomainEvent } from '../../src/core/events/event.js';
import { deliveriesRecorded, notificationsCreated } from '../../src/modules/notifications/notification.events.js';
import { BUCKETS, bucketOf, percentile } from '../../src/modules/notifications/statistics/latency.js';
import { tally } from '../../src/modules/notifications/statistics/tally.js';

describe('Percentiles of latencies', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 10 * DAY }), { minLength: 1, maxLength: 200 });
  const count = (all: readonly number[]): number[] => {
    const counts = Array.from({ length: BUCKETS }, () => 0);
    for (const ms of all) counts[bucketOf(ms)]! += 1;
    return counts;
  };

  it('are within a factor of √2 of the true ones', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99, 1), (all, share) => {
        const sorted = [...all].sort((one, other) => one - other);
        const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
        expect(percentile(count(all), share)).to.be.within(exact / Math.SQRT2 - 1, exact * Math.SQRT2 + 1);
      }),
    );
  });

  it('of several days together are those of all that was counted on them', () => {
    fc.assert(
      fc.property(latencies, latencies, (one, other) => {
        const [first, second] = [count(one), count(other)];
        expect(first.map((number, bucket) => number + second[bucket]!)).to.deep.equal(count([...one, ...other]));
      }),
    );
  });

  it('grow with the share', () => {
    fc.assert(
      fc.property(latencies, (all) => {
        const counts = count(all);
        const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(counts, share));
        expect(p50).to.be.at.most(p95!);
        expect(p95).to.be.at.most(p99!);
      }),
    );
  });

  it('know the shortest and the longest latency', () => {
    expect([0, 1, 2, 3, 4].map(bucketOf)).to.deep.equal([0, 0, 2, 4, 4]);
    expect(bucketOf(-5)).to.equal(0);
    expect(bucketOf(Number.MAX_SAFE_INTEGER)).to.equal(BUCKETS - 1);
    expect(percentile(count([0, 0, 0]), 0.99)).to.equal(1);
  });
});

describe('The tally of notifications', () => {
  const at = new Date('2026-11-21T23:59:59.900Z');
  const next = new Date('2026-11-22T00:00:00.100Z');
  const event = <T>(type: string, data: T): DomainEvent<T> => ({
    ...{ _id: new ObjectId(), type, at: next, audience: {}, data },
    entity: { kind: 'x', id: 'x' },
  });
  const created = (count: number) =>
    event(notificationsCreated.type, {
      shared: {
        type: 'SYSTEM',
        createdAt: at,
        channels: { inApp: { status: 'unread' }, email: { status: 'pending' } },
      },
      items: Array.from({ length: count }, () => ({ id: new ObjectId().toHexString() })),
    });
  const recorded = (was: string, status: string) =>
    event(deliveriesRecorded.type, {
      channel: 'email',
      items: [{ notificationId: 'x', userId: 'x', was, status, type: 'SYSTEM', createdAt: at }],
    });
  const email = { day: '2026-11-21', type: 'SYSTEM', channel: 'email' };

  it('counts each once with its last status, for the UTC day of its creation', () => {
    const events = [created(3), recorded('pending', 'sending'), recorded('sending', 'sent')];
    expect(tally(events)).to.deep.equal([
      { key: { ...email, channel: 'inApp' }, fields: { 'counts.unread': 3 } },
      {
        key: email,
        fields: { 'counts.pending': 2, 'counts.sending': 0, 'counts.sent': 1, [`latency.b${bucketOf(200)}`]: 1 },
      },
    ]);
  });

  it('is as large as the number of notifications, whatever becomes of them, in any order', () => {
    const status = fc.constantFrom('pending', 'sending', 'failed', 'sent', 'dead', 'cancelled');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.tuple(status, status)), (count, changes) => {
        const events = [created(count), ...changes.map(([was, now]) => recorded(was, now))];
        const sumOf = (some: DomainEvent[]): number =>
          tally(some)
            .filter(({ key }) => key.channel === 'email')
            .flatMap(({ fields }) => Object.entries(fields))
            .filter(([field]) => field.startsWith('counts.'))
            .reduce((sum, [, by]) => sum + by, 0);
        expect(sumOf(events)).to.equal(count);
        expect(sumOf(events.toReversed())).to.equal(count);
      }),
    );
  });

  it('passes over what was recorded before there were statistics', () => {
    const old = { notificationId: 'x', userId: 'x', status: 'sent' };
    expect(tally([event(deliveriesRecorded.type, { channel: 'email', items: [old] })])).to.deep.equal([]);
  });
});
