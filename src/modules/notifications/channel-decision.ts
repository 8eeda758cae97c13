import { later, SECOND } from '../../core/clock.js';
import { type DigestFrequency, nextDigest } from './digests/digest-times.js';
import { type Delivery } from './delivery.model.js';
import { type Notification } from './notification.model.js';
import {
  type Category,
  type Channel,
  CHANNELS,
  type InAppStatus,
  type NotificationTypeFacts,
  OUTSIDE_CHANNELS,
  type OutsideChannel,
  type WaitingReason,
} from './notification.types.js';
import { type QuietHours, quietUntil } from './quiet-hours.js';

/** Per category and channel: on or off. What is absent follows the default: on, but for SMS. */
export type Preferences = Partial<Record<Category, Partial<Record<Channel, boolean>>>>;

/** Per category: whether several are told as one. What is absent follows the default: they are. */
export type Grouping = Partial<Record<Category, boolean>>;

/** What is known of how a recipient can and wants to be reached. */
export interface Reach {
  preferences: Preferences;
  /** Absent where the recipient has none. */
  quietHours?: QuietHours;
  timeZone: string;
  /** How often what would be mailed is mailed together. */
  digest: DigestFrequency;
  hasDevice: { webPush: boolean; mobilePush: boolean };
  /** Whether there is a number that its SMS goes to, and whether that takes any. */
  phone: 'none' | 'open' | 'closed';
  /** Its SMS is a code that the recipient has asked for. */
  asksForSms?: boolean;
  /** Whether the recipient has muted what this is about, or whoever caused it. */
  muted: boolean;
  /** Whether the recipient has what this is about on the screen at this moment: they see it there. */
  isLooking?: boolean;
  /** What the address that its mail goes to is closed to; absent where it gets everything. */
  mailClosed?: MailClosure;
  /** Whether the recipient has the app before their eyes at this moment, on some device. */
  isPresent?: boolean;
  /** Categories of which several are, or are not, told as one; they are unless told. */
  grouping?: Grouping;
}

/** What an address that is suppressed gets no mail of. */
export type MailClosure = 'everything' | 'allButSecurity';

export interface DecisionInput extends Pick<NotificationTypeFacts, 'category' | 'urgency' | 'mailAfterMs'> {
  reach: Reach;
  /** Only these channels, where the sender chose. */
  allowed: readonly Channel[] | undefined;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
  /** Whether it has waited for its digest, which is due: it waits for nothing more. */
  isGathered?: boolean;
  /** Whether it has waited to be seen in the app: it does so once. */
  wasLeftToBeSeen?: boolean;
  /** Since when it waits to be read; from now on unless told. */
  unreadSince?: Date;
  now: Date;
}

export type SkipReason =
  'NOT_CHOSEN' | 'PREFERENCE_OFF' | 'NO_DEVICE' | 'NO_NUMBER' | 'NO_PROVIDER' | 'SUPPRESSED' | 'MUTED' | 'ON_SCREEN';

export type ChannelDecision =
  | { kind: 'pending' }
  | { kind: 'deferred'; until: Date; reason: WaitingReason }
  | { kind: 'skipped'; reason: SkipReason };

/** How long a push to a phone waits to be seen in the app instead. */
export const SEEN_WITHIN_MS = 20 * SECOND;

/** With these a channel does not apply to the recipient at all: nothing is said of it. */
const DOES_NOT_APPLY: ReadonlySet<SkipReason> = new Set<SkipReason>([
  'NOT_CHOSEN',
  'PREFERENCE_OFF',
  'NO_DEVICE',
  'NO_NUMBER',
]);

/**
 * Whether a user wants this category on this channel. Security cannot be switched off, but by SMS nothing comes, not even
 * that, unless it was switched on: nobody expects to be written to on their phone for having given a number.
 */
export function wants(preferences: Preferences, category: Category, channel: Channel): boolean {
  if (channel === 'sms') return preferences[category]?.sms ?? false;
  return category === 'security' || (preferences[category]?.[channel] ?? true);
}

/** Whether an address that is closed to this gets no mail of this category. */
export function isClosedTo(closure: MailClosure | undefined, category: Category): boolean {
  return closure === 'everything' || (closure === 'allButSecurity' && category !== 'security');
}

/**
 * Decides what becomes of a notification on one outside channel: sent now, kept until later, or not sent, and why. What
 * speaks against it for good comes before what only delays it. What concerns the security of an account is neither
 * muted nor delayed, and what is urgent is not delayed.
 *
 * What is mailed only if nobody reads it waits for that before anything else, so that nobody is mailed sooner because of a
 * digest that is just due.
 *
 * A phone is not called while its owner looks at the app. Whether they do is known only roughly, since a socket may be
 * dead: the push waits for some seconds, once, and is sent unless it was seen by then.
 */
export function decide(channel: OutsideChannel, input: DecisionInput): ChannelDecision {
  const { category, urgency, reach, allowed, served, isGathered = false, wasLeftToBeSeen = false, now } = input;
  const { preferences, quietHours, timeZone, digest, hasDevice, phone, muted } = reach;
  if (allowed?.includes(channel) === false) return skip('NOT_CHOSEN');
  const isAskedFor = channel === 'sms' && reach.asksForSms === true;
  if (!isAskedFor && !wants(preferences, category, channel)) return skip('PREFERENCE_OFF');
  if ((channel === 'webPush' || channel === 'mobilePush') && !hasDevice[channel]) return skip('NO_DEVICE');
  if (channel === 'sms' && phone === 'none') return skip('NO_NUMBER');
  if (!served.has(channel)) return skip('NO_PROVIDER');
  if (channel === 'email' && isClosedTo(reach.mailClosed, category)) return skip('SUPPRESSED');
  if (channel === 'sms' && phone === 'closed') return skip('SUPPRESSED');
  if (category === 'security') return { kind: 'pending' };
  if (muted) return skip('MUTED');
  if (reach.isLooking === true) return skip('ON_SCREEN');
  if (urgency === 'high' || isGathered) return { kind: 'pending' };
  const mailedAt = channel === 'email' ? unreadUntil(input) : now;
  if (mailedAt > now) return { kind: 'deferred', until: mailedAt, reason: 'UNREAD_DELAY' };
  if (channel === 'email' && digest !== 'off') {
    return { kind: 'deferred', until: nextDigest(digest, timeZone, now), reason: 'DIGEST' };
  }
  const isHushed = quietHours && (channel !== 'email' || quietHours.email);
  const until = isHushed ? quietUntil(quietHours.spans, timeZone, now) : undefined;
  if (until) return { kind: 'deferred', until, reason: 'QUIET_HOURS' };
  const isInApp = allowed?.includes('inApp') !== false && wants(preferences, category, 'inApp');
  const maySeeIt = channel === 'mobilePush' && reach.isPresent === true && isInApp && !wasLeftToBeSeen;
  return maySeeIt ? { kind: 'deferred', until: later(now, SEEN_WITHIN_MS), reason: 'PRESENT' } : { kind: 'pending' };
}

/** By when it has to be read, or it is mailed. */
function unreadUntil({ mailAfterMs = 0, unreadSince, now }: DecisionInput): Date {
  return later(unreadSince ?? now, mailAfterMs);
}

function skip(reason: SkipReason): ChannelDecision {
  return { kind: 'skipped', reason };
}

/**
 * The states a new notification begins with: due on a channel, waiting or skipped there with the reason, or absent
 * where the channel does not apply to this recipient at all. The app has it in any case unless it is switched off
 * there; what is muted, or before the recipient's eyes, is in the list, but counts as read, so that it calls nobody.
 */
export function decideChannels(input: DecisionInput): Notification['channels'] {
  const { category, reach, allowed = CHANNELS, now } = input;
  const channels: Notification['channels'] = {};
  if (allowed.includes('inApp') && wants(reach.preferences, category, 'inApp')) {
    const isQuiet = (reach.muted || reach.isLooking === true) && category !== 'security';
    channels.inApp = { status: isQuiet ? 'read' : 'unread' };
  }
  for (const channel of OUTSIDE_CHANNELS) {
    const decision = decide(channel, input);
    if (decision.kind === 'skipped' && DOES_NOT_APPLY.has(decision.reason)) continue;
    channels[channel] = deliveryOf(decision, now);
  }
  return channels;
}

function deliveryOf(decision: ChannelDecision, now: Date): Delivery {
  switch (decision.kind) {
    case 'pending':
      return { status: 'pending', attempts: 0, nextAttemptAt: now };
    case 'deferred':
      return { status: 'pending', attempts: 0, nextAttemptAt: decision.until, reason: decision.reason };
    case 'skipped':
      return { status: 'skipped', attempts: 0, reason: decision.reason };
  }
}

/** What has happened since a notification was written. */
export interface Meanwhile {
  /** Its state in the app; absent where it is not there. */
  inApp: InAppStatus | undefined;
  /** Whether the account was given up. */
  recipientGone: boolean;
  /** Whether whoever caused it is hidden from its recipient, or gone, or what it is about is. */
  hidden: boolean;
}

export type CancelReason = 'READ' | 'SEEN' | 'HIDDEN' | 'RECIPIENT_GONE';

/** Decides again about what has waited: what is out of date is cancelled, and the rest decided as if it were new. */
export function decideAgain(
  channel: OutsideChannel,
  { inApp, recipientGone, hidden }: Meanwhile,
  input: DecisionInput,
): ChannelDecision | { kind: 'cancelled'; reason: CancelReason } {
  if (recipientGone) return { kind: 'cancelled', reason: 'RECIPIENT_GONE' };
  if (hidden) return { kind: 'cancelled', reason: 'HIDDEN' };
  const isRead = inApp === 'read' || inApp === 'archived';
  if (isRead && input.category !== 'security') return { kind: 'cancelled', reason: 'READ' };
  if (input.wasLeftToBeSeen === true && inApp === 'seen') return { kind: 'cancelled', reason: 'SEEN' };
  return decide(channel, input);
}
