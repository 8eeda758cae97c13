import { defineEvent } from '../../core/events/event.js';
import { anything, instant, list, objectId, oneOf, record, shape, text, whole } from '../../core/http/schema.js';
import { type NotificationAnswer } from './notification.presenter.js';
import { notificationAnswer } from './notification.schemas.js';
import {
  DELIVERY_STATUSES,
  NOTIFICATION_TYPE_NAMES,
  OUTSIDE_CHANNELS,
  type OutsideChannel,
} from './notification.types.js';

/** How its owner's inbox stands after the change: with it the change can be shown and counted without another look. */
const inbox = { position: whole({ min: 0 }), unread: whole({ min: 0 }) };

/**
 * Notifications were written together: one event for all. What they have in common stands once in `shared`, so that
 * a thousand recipients of one text make a small event; `expand` puts them together again.
 */
export const notificationsCreated = defineEvent(
  'notifications.created',
  shape(
    {
      shared: record(text(), anything()),
      items: list(record(text(), anything())),
      /** Of those who have one in the app. */
      inboxes: list(shape({ userId: objectId(), ...inbox })),
    },
    {
      /** Channels on which whoever wrote them has in hand all that is pending: nobody has to look for it. */
      inHand: list(oneOf(OUTSIDE_CHANNELS)),
    },
  ),
);

/** Its owner saw, read or archived one. */
export const notificationUpdated = defineEvent(
  'notification.updated',
  shape({ notification: notificationAnswer, ...inbox }),
);

/** Its owner has read everything up to and including this one. */
export const notificationsAllRead = defineEvent(
  'notifications.allRead',
  shape({ userId: objectId(), readUpTo: objectId(), ...inbox }),
);

/** Some were taken away from their owner or given back, because someone they told of is hidden now, or no longer. */
export const notificationsHidden = defineEvent('notifications.hidden', shape({ userId: objectId(), ...inbox }));

/** Some are in their owner's list no longer: what they told of was undone, or their owner has deleted them. */
export const notificationsWithdrawn = defineEvent(
  'notifications.withdrawn',
  shape({ items: list(shape({ notificationId: objectId(), userId: objectId(), ...inbox })) }),
);

/** What was told about something that is gone is to be withdrawn. */
export const notificationsEnding = defineEvent('notifications.ending', shape({ about: text() }));

/** Others are to be told where a user has found a position. */
export const placementNoted = defineEvent('notifications.placementNoted', shape({ userId: objectId() }));

/** Deliveries on an outside channel are in another state: how they ended, as a rule. */
export const deliveriesRecorded = defineEvent(
  'deliveries.recorded',
  shape({
    channel: oneOf(OUTSIDE_CHANNELS),
    items: list(
      shape(
        { notificationId: objectId(), userId: objectId(), status: oneOf(DELIVERY_STATUSES) },
        // Absent in those that were recorded before there were statistics.
        { was: oneOf(DELIVERY_STATUSES), type: oneOf(NOTIFICATION_TYPE_NAMES), createdAt: instant() },
      ),
    ),
  }),
);

/** An admin asked for notifications. */
export const notificationRequested = defineEvent('notification.requested', shape({ batchId: objectId() }));

interface Condensed {
  shared: Partial<Record<string, unknown>>;
  items: Partial<Record<string, unknown>>[];
}

export const notificationEvents = [
  notificationsCreated,
  notificationUpdated,
  notificationsAllRead,
  notificationsHidden,
  notificationsWithdrawn,
  notificationsEnding,
  placementNoted,
  deliveriesRecorded,
  notificationRequested,
];

/** Splits notifications into what they share and what is each one's own. */
export function condense(notifications: NotificationAnswer[]): Condensed {
  const [first, ...others] = notifications;
  if (!first || others.length === 0) return { shared: {}, items: notifications };
  const shared: Record<string, unknown> = {};
  const own: (keyof NotificationAnswer)[] = [];
  for (const key of Object.keys(first) as (keyof NotificationAnswer)[]) {
    const value = JSON.stringify(first[key]);
    if (others.every((other) => JSON.stringify(other[key]) === value)) shared[key] = first[key];
    else own.push(key);
  }
  return { shared, items: notifications.map((each) => Object.fromEntries(own.map((key) => [key, each[key]]))) };
}

/**
 * The notifications that a `notifications.created` event tells of.
 * @param wanted by their owner's id: nothing is put together for the others, which are most of a large batch
 */
export function expand({ shared, items }: Condensed, wanted?: (userId: string) => boolean): NotificationAnswer[] {
  const chosen = wanted ? items.filter((own) => wanted((own['userId'] ?? shared['userId']) as string)) : items;
  return chosen.map((own) => ({ ...shared, ...own }) as NotificationAnswer);
}

/** Whether any of the notifications is due on this channel for whoever looks; looks without putting them together. */
export function anyPending(
  { shared, items, inHand }: Condensed & { inHand?: OutsideChannel[] | undefined },
  channel: OutsideChannel,
): boolean {
  if (inHand?.includes(channel)) return false;
  const isPending = ({ channels }: Partial<Record<string, unknown>>): boolean =>
    (channels as NotificationAnswer['channels'] | undefined)?.[channel]?.status === 'pending';
  return isPending(shared) || items.some(isPending);
}
