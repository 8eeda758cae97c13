import { type ClientSession } from 'mongodb';
import { type EventOfKind, ofKind, type Outbox } from '../../../core/events/outbox.js';
import { deliveriesRecorded } from '../notification.events.js';
import { type Notification } from '../notification.model.js';
import { type DeliveryStatus, type OutsideChannel } from '../notification.types.js';

export interface ChangedDelivery {
  notification: Pick<Notification, '_id' | 'userId' | 'type' | 'createdAt'>;
  was: DeliveryStatus;
  status: DeliveryStatus;
}

/** Records, in the transaction of the changes, how deliveries on a channel stand now: one event for all. */
export async function tellDeliveries(
  outbox: Outbox,
  session: ClientSession,
  channel: OutsideChannel,
  changes: ChangedDelivery[],
): Promise<void> {
  await outbox.recordTogether(session, deliveriesTold(channel, changes));
}

/** The event that tells how these deliveries stand now, where there are any. */
export function deliveriesTold(channel: OutsideChannel, changes: readonly ChangedDelivery[]): EventOfKind[] {
  if (changes.length === 0) return [];
  const event = ofKind(deliveriesRecorded, {
    entity: { kind: 'channel', id: channel },
    audience: { userIds: changes.map(({ notification }) => notification.userId.toHexString()) },
    data: {
      channel,
      items: changes.map(({ notification: { _id, userId, type, createdAt }, was, status }) => ({
        notificationId: _id.toHexString(),
        userId: userId.toHexString(),
        status,
        was,
        type,
        createdAt,
      })),
    },
  });
  return [event];
}

/** What a change is told from: the notifications as they were, with the state on this channel. */
export const TOLD_FIELDS = { userId: 1, type: 1, createdAt: 1 } as const;

/** Tells of those of these deliveries that waited to be sent and are cancelled now. */
export async function tellCancelled(
  outbox: Outbox,
  session: ClientSession,
  channel: OutsideChannel,
  notifications: readonly Notification[],
): Promise<void> {
  await tellDeliveries(
    outbox,
    session,
    channel,
    notifications.flatMap((notification) => {
      const was = notification.channels[channel]?.status;
      return was === 'pending' || was === 'failed' ? [{ notification, was, status: 'cancelled' as const }] : [];
    }),
  );
}
