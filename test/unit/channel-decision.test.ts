import { expect } from 'chai';
import fc from 'fast-check';
import { later } from '../../src/core/clock.js';
import {
  decide,
  decideAgain,
  decideChannels,
  type DecisionInput,
  type Meanwhile,
  type Reach,
  SEEN_WITHIN_MS,
} from '../../src/modules/notifications/channel-decision.js';
import { CATEGORIES, CHANNELS, OUTSIDE_CHANNELS } from '../../src/modules/notifications/notification.types.js';
import { WEEKDAYS } from '../../src/modules/notifications/quiet-hours.js';

// Two in the morning in Amman, which is quiet there until seven.
const now = new Date('2026-11-20T23:00:00Z');
const morning = new Date('2026-11-21T04:00:00Z');
const quietHours = { spans: [{ days: [...WEEKDAYS], from: '22:00', to: '07:00' }], email: true };
const reach: Reach = {
  preferences: {},
  timeZone: 'Asia/Amman',
  digest: 'off',
  hasDevice: { webPush: true, mobilePush: true },
  phone: 'none',
  muted: false,
};
/** All but SMS, which come of nothing unless that was switched on. */
const USUAL = OUTSIDE_CHANNELS.filter((channel) => channel !== 'sms');
const input: DecisionInput = {
  category: 'social',
  urgency: 'normal',
  reach,
  allowed: undefined,
  served: new Set(OUTSIDE_CHANNELS),
  now,
};
const given = (changes: Partial<Reach>, others: Partial<DecisionInput> = {}): DecisionInput => ({
  ...input,
  ...others,
  reach: { ...reach, ...changes },
});
const pending = { kind: 'pending' };
const deferred = { kind: 'deferred', until: morning, reason: 'QUIET_HOURS' };
const skipped = (reason: string) => ({ kind: 'skipped', reason });

describe('The decision about a channel', () => {
  it('is to send, unless something speaks against it', () => {
    for (const channel of USUAL) expect(decide(channel, input)).to.deep.equal(pending);
  });

  it('is to skip what was not chosen, is switched off, has no device or no provider, or is muted', () => {
    expect(decide('email', { ...input, allowed: ['webPush'] })).to.deep.equal(skipped('NOT_CHOSEN'));
    expect(decide('email', given({ preferences: { social: { email: false } } }))).to.deep.equal(
      skipped('PREFERENCE_OFF'),
    );
    const noPhone = given({ hasDevice: { webPush: true, mobilePush: false } });
    expect(decide('mobilePush', noPhone)).to.deep.equal(skipped('NO_DEVICE'));
    expect(decide('webPush', noPhone)).to.deep.equal(pending);
    expect(decide('email', { ...input, served: new Set() })).to.deep.equal(skipped('NO_PROVIDER'));
    expect(decide('email', given({ muted: true }))).to.deep.equal(skipped('MUTED'));
  });

  it('is to send SMS of what was switched on alone, security included, and to a number that takes them', () => {
    const on = { phone: 'open', preferences: { social: { sms: true }, security: { sms: true } } } as const;
    const security: Partial<DecisionInput> = { category: 'security', urgency: 'high' };
    expect(decide('sms', given({ phone: 'open' }))).to.deep.equal(skipped('PREFERENCE_OFF'));
    expect(decide('sms', given({ phone: 'open' }, security))).to.deep.equal(skipped('PREFERENCE_OFF'));
    expect(decide('sms', given(on))).to.deep.equal(pending);
    expect(decide('sms', given({ ...on, quietHours, muted: true }, security))).to.deep.equal(pending);
    expect(decide('sms', given(on, { category: 'network' }))).to.deep.equal(skipped('PREFERENCE_OFF'));
    expect(decide('sms', given({ ...on, phone: 'none' }))).to.deep.equal(skipped('NO_NUMBER'));
    expect(decideChannels(given({ ...on, phone: 'none' }))).to.not.have.property('sms');
    expect(decide('sms', given({ ...on, phone: 'closed' }))).to.deep.equal(skipped('SUPPRESSED'));
    expect(decide('sms', given({ ...on, quietHours }))).to.deep.equal(deferred);
    expect(decide('sms', given({ ...on, muted: true }))).to.deep.equal(skipped('MUTED'));
    expect(decideChannels(given(on, { served: new Set() })).sms).to.include({ reason: 'NO_PROVIDER' });
  });

  it('is to send the code that was asked for, whatever is switched off', () => {
    const security: Partial<DecisionInput> = { category: 'security', urgency: 'high', allowed: ['sms'] };
    const asked = { phone: 'open', asksForSms: true, quietHours } as const;
    expect(decide('sms', given(asked, security))).to.deep.equal(pending);
    expect(decide('sms', given({ ...asked, phone: 'closed' }, security))).to.deep.equal(skipped('SUPPRESSED'));
    expect(decide('sms', given({ ...asked, phone: 'none' }, security))).to.deep.equal(skipped('NO_NUMBER'));
  });

  it('is to mail nothing to an address that is closed, but what concerns security where only that still goes', () => {
    const security: Partial<DecisionInput> = { category: 'security', urgency: 'high' };
    for (const mailClosed of ['everything', 'allButSecurity'] as const) {
      expect(decide('email', given({ mailClosed }))).to.deep.equal(skipped('SUPPRESSED'));
      expect(decideChannels(given({ mailClosed })).email).to.include({ status: 'skipped', reason: 'SUPPRESSED' });
      expect(decide('webPush', given({ mailClosed }))).to.deep.equal(pending);
    }
    expect(decide('email', given({ mailClosed: 'allButSecurity' }, security))).to.deep.equal(pending);
    expect(decide('email', given({ mailClosed: 'everything' }, security))).to.deep.equal(skipped('SUPPRESSED'));
  });

  it('is to wait for the end of quiet hours, with e-mail too unless its recipient says otherwise', () => {
    for (const channel of USUAL) {
      expect(decide(channel, given({ quietHours }))).to.deep.equal(deferred);
      expect(decide(channel, given({ quietHours }, { now: morning }))).to.deep.equal(pending);
      expect(decide(channel, given({ quietHours, timeZone: 'America/New_York' }))).to.deep.equal(pending);
    }
    const exceptMail = given({ quietHours: { ...quietHours, email: false } });
    expect(decide('email', exceptMail)).to.deep.equal(pending);
    expect(decide('webPush', exceptMail)).to.deep.equal(deferred);
  });

  it('is to wait for the digest with e-mail only, and for nothing more once that is due', () => {
    const daily = given({ digest: 'daily', quietHours });
    const gathering = { kind: 'deferred', until: new Date('2026-11-21T05:00:00Z'), reason: 'DIGEST' };
    expect(decide('email', daily)).to.deep.equal(gathering);
    expect(decide('webPush', daily)).to.deep.equal(deferred);
    expect(decide('email', { ...daily, isGathered: true })).to.deep.equal(pending);
    expect(decide('email', { ...given({ digest: 'daily', muted: true }), isGathered: true })).to.deep.equal(
      skipped('MUTED'),
    );
    for (const soon of [{ category: 'security' }, { urgency: 'high' }] as const) {
      expect(decide('email', given({ digest: 'daily' }, soon))).to.deep.equal(pending);
    }
  });

  it('is to let a phone wait, once, while its owner looks at the app, but for what is urgent or not shown there', () => {
    const soon = new Date(now.getTime() + SEEN_WITHIN_MS);
    const waiting = { kind: 'deferred', until: soon, reason: 'PRESENT' };
    const looking = given({ isPresent: true });
    expect(decide('mobilePush', looking)).to.deep.equal(waiting);
    expect(decide('mobilePush', { ...looking, now: soon, wasLeftToBeSeen: true })).to.deep.equal(pending);
    for (const channel of ['email', 'webPush'] as const) expect(decide(channel, looking)).to.deep.equal(pending);
    expect(decide('mobilePush', given({ isPresent: true, quietHours }))).to.deep.equal(deferred);
    expect(decide('mobilePush', { ...looking, allowed: ['mobilePush'] })).to.deep.equal(pending);
    const notInApp = given({ isPresent: true, preferences: { social: { inApp: false } } });
    expect(decide('mobilePush', notInApp)).to.deep.equal(pending);
    for (const urgent of [{ category: 'security' }, { urgency: 'high' }] as const) {
      expect(decide('mobilePush', given({ isPresent: true }, urgent))).to.deep.equal(pending);
    }
  });

  it('is to mail what is mailed only where nobody reads it after so long, and then with the digest', () => {
    const mailAfterMs = 600_000;
    const waiting = (until: Date) => ({ kind: 'deferred', until, reason: 'UNREAD_DELAY' });
    const message: DecisionInput = { ...input, category: 'chat', mailAfterMs };
    const late = later(now, mailAfterMs);
    expect(decide('email', message)).to.deep.equal(waiting(late));
    expect(decide('email', { ...message, now: later(now, 1_000), unreadSince: now })).to.deep.equal(waiting(late));
    expect(decide('email', { ...message, now: late, unreadSince: now })).to.deep.equal(pending);
    for (const channel of ['webPush', 'mobilePush'] as const) expect(decide(channel, message)).to.deep.equal(pending);
    const daily = given({ digest: 'daily', quietHours }, { category: 'chat', mailAfterMs });
    expect(decide('email', daily)).to.deep.equal(waiting(late));
    expect(decide('email', { ...daily, now: late, unreadSince: now })).to.include({ reason: 'DIGEST' });
    expect(decideChannels(message).email).to.deep.include({ reason: 'UNREAD_DELAY', nextAttemptAt: late });
  });

  it('lets what is urgent through quiet hours, but not through a mute', () => {
    const urgent = { category: 'chat', urgency: 'high' } as const;
    expect(decide('mobilePush', given({ quietHours }, urgent))).to.deep.equal(pending);
    expect(decide('mobilePush', given({ quietHours, muted: true }, urgent))).to.deep.equal(skipped('MUTED'));
  });

  it('lets nobody be kept from what concerns the security of the account', () => {
    const preferences = { security: { inApp: false, email: false } };
    const security = { category: 'security', urgency: 'normal' } as const;
    expect(decide('email', given({ preferences, quietHours, muted: true }, security))).to.deep.equal(pending);
    expect(decideChannels(given({ preferences, muted: true }, security)).inApp).to.deep.equal({ status: 'unread' });
  });

  const anything = fc.record({
    category: fc.constantFrom(...CATEGORIES),
    urgency: fc.constantFrom('normal' as const, 'high' as const),
    allowed: fc.option(fc.subarray([...CHANNELS]), { nil: undefined }),
    served: fc.subarray([...OUTSIDE_CHANNELS]).map((channels) => new Set(channels)),
    now: fc.constantFrom(now, morning),
    mailAfterMs: fc.constantFrom(0, 600_000),
    unreadSince: fc.constantFrom(later(now, -600_000), now),
    reach: fc.record({
      preferences: fc.dictionary(
        fc.constantFrom(...CATEGORIES),
        fc.dictionary(fc.constantFrom(...CHANNELS), fc.boolean()),
      ),
      quietHours: fc.record({ spans: fc.constantFrom(quietHours.spans, []), email: fc.boolean() }),
      timeZone: fc.constantFrom('Asia/Amman', 'Pacific/Kiritimati', 'Pacific/Pago_Pago'),
      digest: fc.constantFrom('off', 'hourly', 'weekly'),
      hasDevice: fc.record({ webPush: fc.boolean(), mobilePush: fc.boolean() }),
      phone: fc.constantFrom('none', 'open', 'closed'),
      muted: fc.boolean(),
      isPresent: fc.boolean(),
    }),
  }) as fc.Arbitrary<DecisionInput>;

  it('only delays what would otherwise be sent, to a moment when it is', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...OUTSIDE_CHANNELS), (one, channel) => {
        const decision = decide(channel, one);
        const { quietHours: _quiet, isPresent: _present, ...always } = one.reach;
        const loud = decide(channel, { ...one, mailAfterMs: 0, reach: { ...always, digest: 'off' } });
        if (decision.kind !== 'deferred') {
          expect(decision).to.deep.equal(loud);
          return;
        }
        expect(loud).to.deep.equal(pending);
        expect(decision.until).to.be.above(one.now);
        const isGathered = decision.reason === 'DIGEST';
        const wasLeftToBeSeen = decision.reason === 'PRESENT';
        const due = decide(channel, { ...one, isGathered, wasLeftToBeSeen, now: decision.until });
        // What was not read by then waits like anything else.
        if (decision.reason === 'UNREAD_DELAY' && due.kind === 'deferred') {
          expect(due.reason).to.be.oneOf(['DIGEST', 'QUIET_HOURS']);
        }
        // Whoever is there when quiet hours end may see it in the app first.
        else if (decision.reason === 'QUIET_HOURS' && due.kind === 'deferred') expect(due.reason).to.equal('PRESENT');
        else expect(due).to.deep.equal(pending);
      }),
    );
  });

  it('keeps nothing from the app but what is switched off there, or not meant for it', () => {
    fc.assert(
      fc.property(anything, (one) => {
        const {
          category,
          allowed,
          reach: { preferences, muted },
        } = one;
        const off = allowed?.includes('inApp') === false || preferences[category]?.inApp === false;
        const { inApp } = decideChannels(one);
        if (category === 'security') expect(inApp !== undefined).to.equal(allowed?.includes('inApp') !== false);
        else expect(inApp).to.deep.equal(off ? undefined : { status: muted ? 'read' : 'unread' });
      }),
    );
  });
});

describe('The states that a notification begins with', () => {
  it('say when what waits is due and why, and why something is skipped', () => {
    expect(decideChannels(input)).to.deep.equal({
      inApp: { status: 'unread' },
      email: { status: 'pending', attempts: 0, nextAttemptAt: now },
      webPush: { status: 'pending', attempts: 0, nextAttemptAt: now },
      mobilePush: { status: 'pending', attempts: 0, nextAttemptAt: now },
    });
    const exceptMail = { ...quietHours, email: false };
    expect(decideChannels(given({ quietHours: exceptMail }, { served: new Set(['email', 'webPush']) }))).to.deep.equal({
      inApp: { status: 'unread' },
      email: { status: 'pending', attempts: 0, nextAttemptAt: now },
      webPush: { status: 'pending', attempts: 0, nextAttemptAt: morning, reason: 'QUIET_HOURS' },
      mobilePush: { status: 'skipped', attempts: 0, reason: 'NO_PROVIDER' },
    });
  });

  it('say nothing of channels that do not apply to the recipient', () => {
    const preferences = { social: { email: false }, system: { inApp: false } };
    const hasDevice = { webPush: false, mobilePush: true };
    expect(decideChannels(given({ preferences, hasDevice }))).to.have.all.keys('inApp', 'mobilePush');
    expect(decideChannels({ ...input, allowed: ['webPush'] })).to.have.all.keys('webPush');
  });
});

describe('The decision about what has waited', () => {
  const nothing: Meanwhile = { inApp: 'unread', recipientGone: false, hidden: false };
  const again = (changes: Partial<Meanwhile>, one: DecisionInput = input) =>
    decideAgain('email', { ...nothing, ...changes }, one);
  const cancelled = (reason: string) => ({ kind: 'cancelled', reason });

  it('is the same as at first where nothing has happened', () => {
    expect(again({})).to.deep.equal(pending);
    expect(again({ inApp: 'seen' })).to.deep.equal(pending);
    expect(again({ inApp: undefined })).to.deep.equal(pending);
    expect(again({}, given({ quietHours }))).to.deep.equal(deferred);
    expect(again({}, given({ muted: true }))).to.deep.equal(skipped('MUTED'));
  });

  it('is to cancel what is out of date, whatever else there is', () => {
    for (const one of [input, given({ quietHours }), given({ muted: true })]) {
      expect(again({ inApp: 'read' }, one)).to.deep.equal(cancelled('READ'));
      expect(again({ inApp: 'archived' }, one)).to.deep.equal(cancelled('READ'));
      expect(again({ recipientGone: true, inApp: undefined }, one)).to.deep.equal(cancelled('RECIPIENT_GONE'));
      expect(again({ hidden: true }, one)).to.deep.equal(cancelled('HIDDEN'));
    }
  });

  it('is to cancel what was left to be seen and was, and to send it otherwise', () => {
    const late: DecisionInput = { ...given({ isPresent: true }), wasLeftToBeSeen: true };
    const push = (inApp: Meanwhile['inApp']) => decideAgain('mobilePush', { ...nothing, inApp }, late);
    expect(push('seen')).to.deep.equal(cancelled('SEEN'));
    expect(push('read')).to.deep.equal(cancelled('READ'));
    expect(push('unread')).to.deep.equal(pending);
  });

  it('is to send what concerns security, though it was read in the app', () => {
    expect(again({ inApp: 'read' }, { ...input, category: 'security' })).to.deep.equal(pending);
  });
});
