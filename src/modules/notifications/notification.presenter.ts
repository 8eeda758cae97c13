import { type Presented } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type Delivery } from './delivery.model.js';
import { type Notification } from './notification.model.js';
import { type notificationAnswer } from './notification.schemas.js';

export type NotificationAnswer = Presented<Infer<typeof notificationAnswer>>;

/** A notification as its owner sees it, over HTTP and sockets alike. */
export function presentNotification(notification: Notification): NotificationAnswer {
  const { inApp, email, webPush, mobilePush, sms } = notification.channels;
  return {
    id: notification._id.toHexString(),
    userId: notification.userId.toHexString(),
    type: notification.type,
    category: notification.category,
    actorIds: (notification.group?.actorIds ?? notification.actorIds).map((id) => id.toHexString()),
    count: notification.group?.count ?? 1,
    entity: { kind: notification.entity.kind ?? '', id: notification.entity.id ?? '' },
    title: notification.title,
    body: notification.body,
    deepLink: notification.deepLink,
    data: notification.data as Record<string, unknown>,
    locale: notification.locale,
    groupKey: notification.groupKey,
    dedupeKey: notification.dedupeKey,
    channels: {
      ...(inApp && { inApp: { status: inApp.status } }),
      ...(email && { email: presentDelivery(email) }),
      ...(webPush && { webPush: presentDelivery(webPush) }),
      ...(mobilePush && { mobilePush: presentDelivery(mobilePush) }),
      ...(sms && { sms: presentDelivery(sms) }),
    },
    createdAt: notification.createdAt,
  };
}

/** The state on one channel without the worker's bookkeeping. */
function presentDelivery(delivery: Delivery) {
  const { status, attempts, nextAttemptAt, providerMessageId, error, reason, sentAt } = delivery;
  const { deliveredAt, openedAt, bouncedAt } = delivery;
  return {
    status,
    attempts,
    ...(nextAttemptAt != null && { nextAttemptAt }),
    ...(providerMessageId != null && { providerMessageId }),
    ...(error != null && { error }),
    ...(reason != null && { reason }),
    ...(sentAt != null && { sentAt }),
    ...(deliveredAt != null && { deliveredAt }),
    ...(openedAt != null && { openedAt }),
    ...(bouncedAt != null && { bouncedAt }),
  };
}
