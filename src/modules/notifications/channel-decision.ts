import { type Delivery, type Notification } from './notification.model.js';
import { type Category, type Channel, CHANNELS, OUTSIDE_CHANNELS, type OutsideChannel } from './notification.types.js';

/** Per category and channel: on or off. What is absent follows the default: on. */
export type Preferences = Partial<Record<Category, Partial<Record<Channel, boolean>>>>;

/** What is known of a recipient when a notification is made. */
export interface Reach {
  preferences: Preferences;
  hasDevice: { webPush: boolean; mobilePush: boolean };
}

export interface DecisionInput {
  category: Category;
  reach: Reach;
  /** Only these channels, where the sender chose. */
  allowed: readonly Channel[] | undefined;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
  /** When outside channels are due. */
  dueAt: Date;
}

/** Whether a user wants this category on this channel. Security cannot be switched off. */
export function wants(preferences: Preferences, category: Category, channel: Channel): boolean {
  return category === 'security' || (preferences[category]?.[channel] ?? true);
}

/**
 * Decides how a notification goes out: due on a channel, skipped there with the reason, or absent where the channel
 * does not apply to this recipient at all.
 */
export function decideChannels(input: DecisionInput): Notification['channels'] {
  const { category, reach, allowed = CHANNELS, served, dueAt } = input;
  const applies = (channel: Channel): boolean =>
    allowed.includes(channel) && wants(reach.preferences, category, channel);
  const channels: Notification['channels'] = {};
  if (applies('inApp')) channels.inApp = { status: 'unread' };
  for (const channel of OUTSIDE_CHANNELS) {
    if (!applies(channel)) continue;
    if (channel !== 'email' && !reach.hasDevice[channel]) continue;
    channels[channel] = served.has(channel)
      ? pending(dueAt)
      : { status: 'skipped', attempts: 0, reason: 'NO_PROVIDER' };
  }
  return channels;
}

function pending(dueAt: Date): Delivery {
  return { status: 'pending', attempts: 0, nextAttemptAt: dueAt };
}
