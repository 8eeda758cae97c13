import { MINUTE } from '../../core/clock.js';

/** The kinds of notification there are, and what each is about. */
export const CATEGORIES = ['social', 'network', 'careers', 'chat', 'community', 'system', 'security'] as const;
export type Category = (typeof CATEGORIES)[number];

/** Ways to reach someone outside the app. */
export const OUTSIDE_CHANNELS = ['email', 'webPush', 'mobilePush', 'sms'] as const;
export type OutsideChannel = (typeof OUTSIDE_CHANNELS)[number];

export const CHANNELS = ['inApp', ...OUTSIDE_CHANNELS] as const;
export type Channel = (typeof CHANNELS)[number];

/** Where a sender who names none writes to: every SMS costs money. */
export const USUAL_CHANNELS: readonly Channel[] = CHANNELS.filter((channel) => channel !== 'sms');

export const IN_APP_STATUSES = ['unread', 'seen', 'read', 'archived'] as const;
export type InAppStatus = (typeof IN_APP_STATUSES)[number];

/** Not read yet: what the unread count counts. Having been shown in a list (`seen`) is not having been read. */
export const UNREAD: InAppStatus[] = ['unread', 'seen'];
/** What the list shows; archived ones are put away. */
export const LISTED: InAppStatus[] = ['unread', 'seen', 'read'];

export const DELIVERY_STATUSES = [
  'pending',
  'sending',
  'sent',
  'delivered',
  'failed',
  'dead',
  'skipped',
  'cancelled',
] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What a pending delivery waits for: the end of quiet hours, or to be looked at again since its cause was undone. */
export const WAITING_REASONS = ['QUIET_HOURS', 'DECIDE_AGAIN'] as const;
/**
 * And the mail that it goes with, which is due and not what waits for it; and that its recipient, who has the app before
 * their eyes, sees it there, or reads it before it is mailed.
 */
export type WaitingReason = (typeof WAITING_REASONS)[number] | 'DIGEST' | 'PRESENT' | 'UNREAD_DELAY';

/** What can be muted in the settings: whatever notifications are about, or whoever causes them. */
export const MUTABLE = ['post', 'user'] as const;
export type Mutable = (typeof MUTABLE)[number];
/** What notifications are about: conversations are muted where they are, and messages only come to an end. */
export type SubjectKind = Mutable | 'conversation' | 'message';

export interface NotificationTypeFacts {
  category: Category;
  /** How soon a phone should show it, and whether it may wake the phone up. */
  urgency: 'normal' | 'high';
  /** For how long it is worth showing on a device that was out of reach, in seconds. */
  ttlSeconds: number;
  /** Whether those with the same `groupKey` are told as one, "A and 11 others", until that is read. */
  grouped?: true;
  /** It is mailed only when it was not read for so long, in milliseconds. */
  mailAfterMs?: number;
}

const DAY_IN_SECONDS = 86_400;
const MAIL_MESSAGES_AFTER_MS = 10 * MINUTE;

/**
 * Reactions to a post or a message are grouped, since one says as much as the other and that is where all of them lead
 * to, and so are the messages of a conversation. What has words of its own to be read (a comment, a mention), wants an
 * answer of its own (a request) or leads to somebody (a follower) stands by itself.
 */
export const NOTIFICATION_TYPES = {
  REACTION: { category: 'social', urgency: 'normal', ttlSeconds: DAY_IN_SECONDS, grouped: true },
  COMMENT: { category: 'social', urgency: 'normal', ttlSeconds: 3 * DAY_IN_SECONDS },
  // It is a message, too, and as such is mailed only to who has not read it by then.
  MENTION: {
    ...{ category: 'social', urgency: 'normal', ttlSeconds: 3 * DAY_IN_SECONDS },
    mailAfterMs: MAIL_MESSAGES_AFTER_MS,
  },
  CONNECTION_REQUEST: { category: 'network', urgency: 'normal', ttlSeconds: 7 * DAY_IN_SECONDS },
  CONNECTION_ACCEPTED: { category: 'network', urgency: 'normal', ttlSeconds: 3 * DAY_IN_SECONDS },
  FOLLOW: { category: 'network', urgency: 'normal', ttlSeconds: 3 * DAY_IN_SECONDS },
  PLACEMENT: { category: 'careers', urgency: 'normal', ttlSeconds: 7 * DAY_IN_SECONDS },
  MESSAGE: {
    ...{ category: 'chat', urgency: 'normal', ttlSeconds: DAY_IN_SECONDS, grouped: true },
    mailAfterMs: MAIL_MESSAGES_AFTER_MS,
  },
  // As long as it rings.
  CALL_INCOMING: { category: 'chat', urgency: 'high', ttlSeconds: 30 },
  CALL_MISSED: { category: 'chat', urgency: 'normal', ttlSeconds: DAY_IN_SECONDS },
  SECURITY: { category: 'security', urgency: 'high', ttlSeconds: 3 * DAY_IN_SECONDS },
  SYSTEM: { category: 'system', urgency: 'normal', ttlSeconds: 7 * DAY_IN_SECONDS },
} as const satisfies Record<string, NotificationTypeFacts>;

export type NotificationType = keyof typeof NOTIFICATION_TYPES;
export const NOTIFICATION_TYPE_NAMES = Object.keys(NOTIFICATION_TYPES) as NotificationType[];

/** Whether several of this kind can be told as one. */
export function isGrouped(type: NotificationType): boolean {
  const facts: NotificationTypeFacts = NOTIFICATION_TYPES[type];
  return facts.grouped === true;
}
