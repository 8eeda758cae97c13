import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { DAY, MINUTE } from '../../src/core/clock.js';
import { lastingDelay, retryDelay } from '../../src/core/jobs/retry.js';
import { combine, type DeviceResult } from '../../src/modules/notifications/delivery/device-results.js';
import { transition } from '../../src/modules/notifications/delivery/outcome.js';
import { shortenBy } from '../../src/modules/notifications/delivery/shorten.js';
import { parseRetryAfter } from '../../src/modules/notifications/delivery/retry-after.js';
import { condense, expand } from '../../src/modules/notifications/notification.events.js';
import { type Device } from '../../src/modules/notifications/notification.model.js';
import { type NotificationAnswer } from '../../src/modules/notifications/notification.presenter.js';

const device = (): Device => ({
  _id: new ObjectId(),
  userId: new ObjectId(),
  channel: 'webPush',
  address: 'somewhere',
  updatedAt: new Date(0),
});

describe('The delay before another attempt', () => {
  it('is 1, 5 and 30 minutes, up to a fifth longer, and then none', () => {
    const least = [1, 2, 3, 4].map((attempts) => retryDelay(attempts, 0, () => 0));
    expect(least).to.deep.equal([1 * MINUTE, 5 * MINUTE, 30 * MINUTE, undefined]);
    const most = [1, 2, 3].map((attempts) => retryDelay(attempts, 0, () => 1));
    expect(most).to.deep.equal([1.2 * MINUTE, 6 * MINUTE, 36 * MINUTE]);
  });

  it('is what the other side asks for where that is more, but no more than a day', () => {
    expect(retryDelay(1, 10 * MINUTE)).to.equal(10 * MINUTE);
    expect(retryDelay(3, 10 * MINUTE, () => 0)).to.equal(30 * MINUTE);
    expect(retryDelay(1, 400 * DAY)).to.equal(DAY);
    expect(retryDelay(4, 10 * MINUTE)).to.equal(undefined);
  });

  it('stays at its longest for what is never given up', () => {
    const delays = [1, 2, 3, 4, 1_000].map((attempts) => lastingDelay(attempts, () => 0));
    expect(delays).to.deep.equal([1, 5, 30, 30, 30].map((minutes) => minutes * MINUTE));
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');

  it('is read as seconds or as a date', () => {
    expect(parseRetryAfter('120', now)).to.equal(120_000);
    expect(parseRetryAfter('Sat, 21 Nov 2026 10:02:00 GMT', now)).to.equal(120_000);
    expect(parseRetryAfter('Sat, 21 Nov 2026 09:00:00 GMT', now)).to.equal(0);
  });

  it('makes a usable delay of whatever a server may say', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.bigInt().map(String), fc.date().map(String)), (field) => {
        const next = new Date(now + retryDelay(1, parseRetryAfter(field, now))!);
        expect(next.getTime()).to.be.within(now + MINUTE, now + DAY);
      }),
    );
    expect(parseRetryAfter(undefined, now)).to.equal(undefined);
    expect(parseRetryAfter('soon', now)).to.equal(undefined);
  });
});

describe('The state after an attempt', () => {
  const now = new Date('2026-11-21T10:00:00Z');
  const sending = {
    status: 'sending',
    attempts: 2,
    claim: 'mine',
    nextAttemptAt: now,
    error: 'SMTP_450',
    sentTo: ['a'],
  } as const;
  const after = (outcome: Parameters<typeof transition>[1], attempts = 2) =>
    transition({ ...sending, sentTo: ['a'], attempts }, outcome, now);

  it('keeps nothing of the claim, and no time of a next attempt where there is none', () => {
    expect(after({ kind: 'sent', providerMessageId: 'x' })).to.deep.equal({
      status: 'sent',
      attempts: 2,
      sentAt: now,
      providerMessageId: 'x',
    });
    expect(after({ kind: 'dead', error: 'E' })).to.deep.equal({ status: 'dead', attempts: 2, error: 'E' });
    expect(after({ kind: 'skipped', reason: 'R' })).to.deep.equal({ status: 'skipped', attempts: 2, reason: 'R' });
    expect(after({ kind: 'cancelled', reason: 'R' })).to.deep.equal({ status: 'cancelled', attempts: 2, reason: 'R' });
  });

  it('is pending with its reason where it is to be sent later, and the attempt does not count', () => {
    const until = new Date('2026-11-22T07:00:00Z');
    const expected = { status: 'pending', attempts: 1, nextAttemptAt: until, reason: 'QUIET_HOURS' };
    expect(after({ kind: 'deferred', until, reason: 'QUIET_HOURS' })).to.deep.equal(expected);
  });

  it('is failed with a next attempt, and remembers who has it already', () => {
    const { nextAttemptAt, ...failed } = after({ kind: 'retry', error: 'E', sentTo: ['a', 'b'] });
    expect(failed).to.deep.equal({ status: 'failed', attempts: 2, error: 'E', sentTo: ['a', 'b'] });
    expect(nextAttemptAt!.getTime() - now.getTime()).to.be.within(5 * MINUTE, 6 * MINUTE);
  });

  it('is what it was before where nothing was tried, however often that happens', () => {
    expect(after({ kind: 'untried', afterMs: MINUTE, sentTo: ['a'] }, 4)).to.deep.equal({
      status: 'failed',
      attempts: 3,
      error: 'SMTP_450',
      nextAttemptAt: new Date(now.getTime() + MINUTE),
      sentTo: ['a'],
    });
    const first = transition({ status: 'sending', attempts: 1 }, { kind: 'untried', afterMs: 0 }, now);
    expect(first).to.deep.equal({ status: 'pending', attempts: 0, nextAttemptAt: now });
  });

  it('is dead after the last attempt, or sent where some device has it', () => {
    expect(after({ kind: 'retry', error: 'E', sentTo: [] }, 4)).to.deep.equal({
      status: 'dead',
      attempts: 4,
      error: 'E',
    });
    expect(after({ kind: 'retry', error: 'E', sentTo: ['a'] }, 4)).to.include({ status: 'sent', error: 'E' });
  });
});

describe('What the answers for several devices mean together', () => {
  const together = (results: DeviceResult[], before: string[] = []) =>
    combine(
      results.map((result) => ({ device: device(), result })),
      before,
    );

  it('is another try as long as any device may still get it, after the longest wait asked for', () => {
    const outcome = together([
      { kind: 'accepted' },
      { kind: 'retry', error: 'E1' },
      { kind: 'retry', error: 'E2', retryAfterMs: 7 },
      { kind: 'retry', error: 'E3', retryAfterMs: 5 },
      { kind: 'gone' },
    ]);
    expect(outcome).to.deep.include({ kind: 'retry', error: 'E1', retryAfterMs: 7 });
    expect(outcome).to.have.property('sentTo').with.lengthOf(1);
  });

  it('is no attempt where some were not tried and none failed', () => {
    const waiting = together([{ kind: 'accepted' }, { kind: 'untried', afterMs: 5 }, { kind: 'untried', afterMs: 7 }]);
    expect(waiting).to.deep.include({ kind: 'untried', afterMs: 7 });
    expect(waiting).to.have.property('sentTo').with.lengthOf(1);
    const failed = together([
      { kind: 'retry', error: 'E' },
      { kind: 'untried', afterMs: 7 },
    ]);
    expect(failed).to.include({ kind: 'retry', error: 'E' });
  });

  it('is sent where at least one has it, now or from before', () => {
    expect(together([{ kind: 'gone' }, { kind: 'accepted', providerMessageId: 'x' }])).to.deep.equal({
      kind: 'sent',
      providerMessageId: 'x',
    });
    expect(together([{ kind: 'refused', error: 'E' }], ['a'])).to.deep.equal({ kind: 'sent' });
    expect(together([], ['a'])).to.deep.equal({ kind: 'sent' });
  });

  it('is the end where no device took it, and skipped where there is none', () => {
    expect(together([{ kind: 'gone' }, { kind: 'refused', error: 'E' }])).to.deep.equal({ kind: 'dead', error: 'E' });
    expect(together([{ kind: 'gone' }])).to.deep.equal({ kind: 'dead', error: 'DEVICE_GONE' });
    expect(together([])).to.deep.equal({ kind: 'skipped', reason: 'NO_DEVICE' });
  });
});

describe('A text that is too long', () => {
  it('loses at least so many bytes, at the end, and never a part of a character', () => {
    const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.nat(40), (text, bytes) => {
        const short = shortenBy(text, bytes);
        const kept = short.slice(0, -1);
        expect(short.endsWith('…') && text.startsWith(kept) && !/\p{Surrogate}/u.test(short)).to.equal(true);
        if (kept !== '') expect(Buffer.byteLength(text) - Buffer.byteLength(short)).to.be.at.least(bytes);
      }),
    );
    expect(shortenBy('school 👩‍🎓', 1)).to.equal('school …');
    expect(shortenBy('مُ', 1)).to.equal('…');
  });
});

describe('Notifications in one event', () => {
  it('come out as they went in, whatever they share', () => {
    const value = fc.oneof(fc.constantFrom('same', 'other'), fc.jsonValue());
    const notifications = fc.array(
      fc.record({ id: value, title: value, actorIds: fc.array(value), channels: fc.dictionary(fc.string(), value) }),
      { maxLength: 5 },
    ) as unknown as fc.Arbitrary<NotificationAnswer[]>;
    const stored = (all: unknown): unknown => JSON.parse(JSON.stringify(all));
    fc.assert(
      fc.property(notifications, (all) => {
        expect(stored(expand(condense(all)))).to.deep.equal(stored(all));
      }),
    );
  });

  it('hold once what they share', () => {
    const one = { title: 'To all', body: 'A long text' };
    const all = ['a', 'b', 'c'].map((id) => ({ ...one, id })) as unknown as NotificationAnswer[];
    expect(condense(all)).to.deep.equal({ shared: one, items: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] });
  });
});
