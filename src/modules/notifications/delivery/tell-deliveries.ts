import { type ClientSession } from 'mongodb';
import { type Outbox } from '../../../core/events/outbox.js';
import { deliveriesRecorded } from '../notification.events.js';
import { type Notification } from '../notification.model.js';
import { type DeliveryStatus, type OutsideChannel } from '../notification.types.js';

export interface ChangedDelivery {
  notification: Pick<Notification, '_id' | 'userId'>;
  status: DeliveryStatus;
}

/** Records, in the transaction of the changes, how deliveries on a channel stand now: one event for all. */
export async function tellDeliveries(
  outbox: Outbox,
  session: ClientSession,
  channel: OutsideChannel,
  changes: ChangedDelivery[],
): Promise<void> {
  if (changes.length === 0) return;
  await outbox.record(session, deliveriesRecorded, {
    entity: { kind: 'channel', id: channel },
    audience: { userIds: changes.map(({ notification }) => notification.userId.toHexString()) },
    data: {
      channel,
      items: changes.map(({ notification, status }) => ({
        notificationId: notification._id.toHexString(),
        userId: notification.userId.toHexString(),
        status,
      })),
    },
  });
}
