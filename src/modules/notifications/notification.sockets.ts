import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { flag, type Infer, objectId, shape } from '../../core/http/schema.js';
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
import { type Foreground } from './foreground/foreground.js';
import { type InboxState } from './inboxes.js';
import { since } from './positions.js';
import { presentNotification } from './notification.presenter.js';
import { notificationAnswer, unreadPayload } from './notification.schemas.js';
import { type NotificationService } from './notification.service.js';

type CreatedData = Infer<typeof notificationsCreated.schema>;
type DeliveriesData = Infer<typeof deliveriesRecorded.schema>;

export interface NotificationNamespaceDeps {
  streams: LocalEmitter;
  foreground: Pick<Foreground, 'set' | 'ended'>;
  log: Log;
  onShown: (createdAt: Date) => void;
}

/** Notifications live: what the feed tells, to the owner's sockets and streams on this node. */
export function notificationNamespace(
  service: NotificationService,
  { streams, foreground, log, onShown }: NotificationNamespaceDeps,
): NamespaceDefinition {
  /** What is being read to be shown. */
  let reading: Promise<void> | undefined;

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
      'presence:foreground': clientEvent({
        summary:
          'Says whether the app is before its user’s eyes, on connecting and whenever that changes: meanwhile pushes to ' +
          'phones wait for some seconds, and are not sent if what they tell was seen. A socket that says nothing is in ' +
          'the background.',
        payload: shape({ foreground: flag() }),
        async handle({ actor, payload, connection }) {
          const noted = foreground.set(actor.id, connection.id, payload.foreground);
          // After that: one that has ended meanwhile is noted as ended in the end.
          connection.onEnd(() => foreground.ended(actor.id, connection.id));
          await noted;
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
    listeners: [streams],
    onEvent(event, node) {
      if (isEvent(event, deliveriesRecorded)) {
        const watched = event.data.items.filter(({ userId }) => node.has(userRoom(userId)));
        if (watched.length > 0) inOrder(() => showDeliveries(watched, event.at, node));
      } else if (reading) inOrder(() => tell(event, emitterAt(node, event.at)));
      else tell(event, emitterAt(node, event.at));
    },
  };

  /** What has to be read before it is shown holds back what comes after it: that may be what is read. */
  function inOrder(work: () => Promise<void> | void): void {
    const next: Promise<void> = (reading ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => log.warn({ err: error }, 'notifications: a change could not be shown'))
      .finally(() => {
        if (reading === next) reading = undefined;
      });
    reading = next;
  }

  function tell(event: DomainEvent, emitter: LocalEmitter): void {
    if (isEvent(event, notificationsCreated)) {
      announce(event.data, event.at, emitter);
    } else if (isEvent(event, notificationUpdated)) {
      const { notification, unread, position } = event.data;
      emitter.emit(userRoom(notification.userId), 'notification:updated', notification, { position });
      tellCount(emitter, notification.userId, { unread, position });
    } else if (isEvent(event, notificationsAllRead)) {
      const { userId, readUpTo, ...inbox } = event.data;
      tellCount(emitter, userId, inbox, readUpTo);
    } else if (isEvent(event, notificationsHidden)) {
      const { userId, ...inbox } = event.data;
      tellCount(emitter, userId, inbox);
      // Which ones is not said; whoever has them on the screen fetches the list anew.
      emitter.emit(userRoom(userId), 'resync', {}, { position: inbox.position });
    } else if (isEvent(event, notificationsWithdrawn)) {
      const inboxes = new Map<string, InboxState>();
      for (const { notificationId, userId, unread, position } of event.data.items) {
        emitter.emit(userRoom(userId), 'notification:withdrawn', { id: notificationId }, { position });
        inboxes.set(userId, { unread, position });
      }
      for (const [userId, inbox] of inboxes) tellCount(emitter, userId, inbox);
    } else if (isEvent(event, announcementProgressed)) {
      for (const userId of event.audience.userIds ?? []) {
        emitter.emit(userRoom(userId), 'announcement:progress', event.data);
      }
    }
  }

  /** Shows each to its owner, and then the count once, however many there are. */
  function announce(data: CreatedData, at: Date, emitter: LocalEmitter): void {
    const inboxes = data.inboxes.filter(({ userId }) => emitter.has(userRoom(userId)));
    if (inboxes.length === 0) return;
    const left = new Map<string, number>();
    const shown = expand(data, (userId) => emitter.has(userRoom(userId))).filter(({ channels }) => channels.inApp);
    for (const { userId } of shown) left.set(userId, (left.get(userId) ?? 0) + 1);
    const last = new Map(inboxes.map(({ userId, position }) => [userId, position]));
    for (const notification of shown) {
      const { userId } = notification;
      const later = (left.get(userId) ?? 1) - 1;
      left.set(userId, later);
      // The event says where the inbox stands after all of them.
      const position = (last.get(userId) ?? later) - later;
      emitter.emit(userRoom(userId), 'notification:new', notification, { position });
      onShown(at);
    }
    for (const { userId, ...inbox } of inboxes) tellCount(emitter, userId, inbox);
  }

  /** Deliveries are recorded by the hundred and few owners look on: only what those have is read. */
  async function showDeliveries(watched: DeliveriesData['items'], at: Date, emitter: LocalEmitter): Promise<void> {
    for (const notification of await service.byIds(watched.map(({ notificationId }) => notificationId))) {
      if (!notification.channels.inApp) continue;
      emitter.emit(
        userRoom(notification.userId.toHexString()),
        'notification:updated',
        presentNotification(notification),
        { since: since(at) },
      );
    }
  }
}

/** Says with everything that has a position from when on to ask for what has none. */
function emitterAt(node: LocalEmitter, at: Date): LocalEmitter {
  return {
    has: (room) => node.has(room),
    evict: (room, from) => node.evict(room, from),
    emit: (room, event, payload, options = {}) =>
      node.emit(room, event, payload, { ...options, ...(options.position !== undefined && { since: since(at) }) }),
  };
}

/** Tells a user's clients how many are unread, as the change at hand has left it. */
function tellCount(emitter: LocalEmitter, userId: string, { unread, position }: InboxState, readUpTo?: string): void {
  const payload = { count: unread, ...(readUpTo !== undefined && { readUpTo }) };
  emitter.emit(userRoom(userId), 'unread-count', payload, { position });
}
