import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Infer, objectId, shape } from '../../core/http/schema.js';
import { type Log } from '../../core/observability/log.js';
import { clientEvent, type LocalEmitter, type NamespaceDefinition, userRoom } from '../../core/realtime/namespace.js';
import { announcementProgressed } from './announcements/announcement.events.js';
import { announcementProgress } from './announcements/announcement.schemas.js';
import {
  deliveriesRecorded,
  expand,
  notificationsAllRead,
  notificationsCreated,
  notificationsHidden,
  notificationsWithdrawn,
  notificationUpdated,
} from './notification.events.js';
import { presentNotification } from './notification.presenter.js';
import { notificationAnswer, unreadPayload } from './notification.schemas.js';
import { type NotificationService } from './notification.service.js';
import { UnreadCountPush } from './unread-count-push.js';

type DeliveriesData = Infer<typeof deliveriesRecorded.schema>;

/** Notifications live: what the feed tells, to the owner's sockets on this node. */
export function notificationNamespace(
  service: NotificationService,
  { log, onShown }: { log: Log; onShown: (createdAt: Date) => void },
): NamespaceDefinition {
  const unreadCounts = new UnreadCountPush(service, log);
  return {
    name: '/notifications',
    summary: 'One’s own notifications and their unread count, on every device at once.',
    clientEvents: {
      'notification:read': clientEvent({
        summary: 'Marks a notification as read, on every device.',
        payload: shape({ id: objectId() }),
        acknowledgement: shape({ notification: notificationAnswer }),
        async handle({ actor, payload }) {
          return { notification: presentNotification(await service.advance(actor.id, payload.id, 'read')) };
        },
      }),
      'notification:read-all': clientEvent({
        summary: 'Marks all notifications as read, on every device.',
        payload: shape({}),
        async handle({ actor }) {
          await service.readAll(actor.id);
          return undefined;
        },
      }),
    },
    serverEvents: {
      'notification:new': { summary: 'A notification has arrived.', payload: notificationAnswer },
      'notification:updated': { summary: 'A notification or its delivery has changed.', payload: notificationAnswer },
      'notification:withdrawn': {
        summary: 'A notification is gone from the list: its cause was undone, or its owner has deleted it.',
        payload: shape({ id: objectId() }),
      },
      'announcement:progress': {
        summary: 'An announcement has come further: to admins.',
        payload: announcementProgress,
      },
      'unread-count': {
        summary: 'How many are unread; `readUpTo` where everything up to that one was read.',
        payload: unreadPayload,
      },
    },
    onEvent(event, emitter) {
      if (isEvent(event, notificationsCreated)) {
        for (const notification of expand(event.data, (userId) => emitter.has(userRoom(userId)))) {
          const { userId, channels } = notification;
          if (!channels.inApp) continue;
          emitter.emit(userRoom(userId), 'notification:new', notification);
          onShown(event.at);
          unreadCounts.request(userId, emitter);
        }
      } else if (isEvent(event, notificationUpdated)) {
        const { notification } = event.data;
        emitter.emit(userRoom(notification.userId), 'notification:updated', notification);
        unreadCounts.request(notification.userId, emitter);
      } else if (isEvent(event, notificationsAllRead)) {
        const { userId, readUpTo } = event.data;
        unreadCounts.request(userId, emitter, readUpTo);
      } else if (isEvent(event, notificationsHidden)) {
        unreadCounts.request(event.data.userId, emitter);
      } else if (isEvent(event, notificationsWithdrawn)) {
        for (const { notificationId, userId } of event.data.items) {
          emitter.emit(userRoom(userId), 'notification:withdrawn', { id: notificationId });
          unreadCounts.request(userId, emitter);
        }
      } else if (isEvent(event, announcementProgressed)) {
        for (const userId of event.audience.userIds ?? []) {
          emitter.emit(userRoom(userId), 'announcement:progress', event.data);
        }
      } else if (isEvent(event, deliveriesRecorded)) {
        emitDeliveries(event, emitter).catch((error: unknown) => {
          log.warn({ err: error }, 'notifications: changed deliveries could not be shown');
        });
      }
    },
  };

  /** Deliveries are recorded by the hundred and few owners look on: only what those have is read. */
  async function emitDeliveries(event: DomainEvent<DeliveriesData>, emitter: LocalEmitter): Promise<void> {
    const watched = event.data.items.filter(({ userId }) => emitter.has(userRoom(userId)));
    if (watched.length === 0) return;
    for (const notification of await service.byIds(watched.map(({ notificationId }) => notificationId))) {
      if (!notification.channels.inApp) continue;
      emitter.emit(
        userRoom(notification.userId.toHexString()),
        'notification:updated',
        presentNotification(notification),
      );
    }
  }
}
