import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Actor, type Route, orKeyWith, roles, route, signedIn } from '../../core/http/route.js';
import { anyOf, objectId, shape } from '../../core/http/schema.js';
import { type BatchService } from './batch.service.js';
import { type ChangesService } from './changes.service.js';
import { type DeviceService } from './device.service.js';
import { presentNotification } from './notification.presenter.js';
import { poll } from './polling.js';
import {
  batchAnswer,
  batchBody,
  batchProgressAnswer,
  changesAnswer,
  countAnswer,
  listFilter,
  mobileDeviceBody,
  mobileDeviceRemoval,
  notificationAnswer,
  since,
  vapidKeyAnswer,
  webDeviceBody,
  webDeviceRemoval,
} from './notification.schemas.js';
import { type NotificationService } from './notification.service.js';

export interface NotificationRouteDeps {
  notifications: NotificationService;
  changes: ChangesService;
  batches: BatchService;
  devices: DeviceService;
  vapidPublicKey: string;
}

export function notificationRoutes(deps: NotificationRouteDeps): Route[] {
  return [...inboxRoutes(deps), ...batchRoutes(deps), ...deviceRoutes(deps)];
}

const tag = 'notifications';

/** All changes of a user's inbox meet in one document. */
const serialBy = ({ actor }: { actor: Actor }): string => `notifications of ${actor.id}`;

function inboxRoutes({ notifications, changes }: NotificationRouteDeps): Route[] {
  const steps = [
    ['seen', 'seen', 'Marks one as shown in a list'],
    ['read', 'read', 'Marks one as read, on every device'],
    ['archive', 'archived', 'Puts one away'],
  ] as const;
  return [
    route({
      method: 'get',
      path: '/notifications',
      tag,
      summary: 'One’s own notifications, newest first',
      description:
        '`unread=true` lists what has not been read, seen or not. Archived ones are never listed. `since` is for ' +
        'clients that ask now and then: it answers what is new or changed since a position, the longest unchanged ' +
        'first, each as it is now, and the position to ask from next time, at once where `hasMore`. It begins with ' +
        '`since=latest`, before the list is fetched. A delivery that has changed in the last half minute may be answered ' +
        'again. First everything up to `readUpTo` counts as read, where that is ' +
        'given; then `data` and `withdrawn` apply. 410 asks to begin anew. It takes `limit` and none of the filters.',
      access: signedIn,
      query: shape(pageQuery, { ...listFilter, since }),
      problems: ['SINCE_STANDS_ALONE', 'POSITION_GONE'],
      answer: { status: 200, body: anyOf([pageOf(notificationAnswer), changesAnswer]) },
      handle: async ({ actor, query: { since: position, limit, ...filter } }) => {
        if (position !== undefined) return poll(changes, actor.id, position, limit, filter);
        const { data, nextCursor } = await notifications.list(actor.id, { limit, ...filter });
        return { data: data.map(presentNotification), nextCursor };
      },
    }),
    route({
      method: 'get',
      path: '/notifications/unread-count',
      tag,
      summary: 'How many have not been read',
      access: signedIn,
      answer: { status: 200, body: countAnswer },
      handle: async ({ actor }) => ({ count: await notifications.unreadCount(actor.id) }),
    }),
    route({
      method: 'put',
      path: '/notifications/read-all',
      tag,
      summary: 'Marks all that exist now as read, on every device',
      access: signedIn,
      serialBy,
      answer: { status: 204 },
      handle: ({ actor }) => notifications.readAll(actor.id),
    }),
    ...steps.map(([word, status, summary]) =>
      route({
        method: 'put',
        path: `/notifications/:notificationId/${word}`,
        tag,
        summary,
        access: signedIn,
        params: shape({ notificationId: objectId() }),
        serialBy,
        problems: ['NOTIFICATION_NOT_FOUND'],
        answer: { status: 200, body: notificationAnswer },
        handle: ({ actor, params }) => notifications.advance(actor.id, params.notificationId, status),
        present: presentNotification,
      }),
    ),
    route({
      method: 'delete',
      path: '/notifications/:notificationId',
      tag,
      summary: 'Deletes one, on every device; what of it has not been sent is not sent',
      access: signedIn,
      params: shape({ notificationId: objectId() }),
      serialBy,
      problems: ['NOTIFICATION_NOT_FOUND'],
      answer: { status: 204 },
      handle: ({ actor, params }) => notifications.remove(actor.id, params.notificationId),
    }),
  ];
}

function batchRoutes({ batches }: NotificationRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/notifications',
      tag,
      summary: 'Notifies named users, or an audience of any size',
      description: 'What goes to an audience is an announcement, too, and can be cancelled as such by its id.',
      access: orKeyWith('notifications:write', roles('admin')),
      body: batchBody,
      idempotent: true,
      problems: ['UNKNOWN_USERS'],
      answer: { status: 202, body: batchAnswer },
      handle: ({ actor, body }) => batches.request(actor, body),
      present: ({ _id }) => ({ batchId: _id.toHexString() }),
    }),
    route({
      method: 'get',
      path: '/notifications/batches/:batchId',
      tag,
      summary: 'How far a batch or an announcement has come, per channel and status',
      description:
        'Of an announcement to more than 1,000 users it says how many notifications were written for each channel, ' +
        '`reached`, and how many of them were `cancelled` with it, whatever else has become of them.',
      access: orKeyWith('notifications:read', roles('admin')),
      params: shape({ batchId: objectId() }),
      load: ({ params }) => batches.progress(params.batchId),
      missing: 'BATCH_NOT_FOUND',
      answer: { status: 200, body: batchProgressAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present: ({ _id, ...progress }) => ({ id: _id.toHexString(), ...progress }),
    }),
  ];
}

function deviceRoutes({ devices, vapidPublicKey }: NotificationRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/push/register',
      tag: 'push',
      summary: 'Registers a phone; a token moves to the user who registers it last',
      access: signedIn,
      body: mobileDeviceBody,
      answer: { status: 204 },
      handle: ({ actor, body }) => devices.registerMobile(actor.id, body),
    }),
    route({
      method: 'delete',
      path: '/push/unregister',
      tag: 'push',
      summary: 'Forgets a phone of one’s own',
      access: signedIn,
      body: mobileDeviceRemoval,
      answer: { status: 204 },
      handle: ({ actor, body }) => devices.unregisterMobile(actor.id, body.token),
    }),
    route({
      method: 'get',
      path: '/push/vapid-key',
      tag: 'push',
      summary: 'The key that browsers subscribe with',
      access: signedIn,
      answer: { status: 200, body: vapidKeyAnswer },
      handle: () => Promise.resolve({ publicKey: vapidPublicKey }),
    }),
    route({
      method: 'post',
      path: '/push/web',
      tag: 'push',
      summary: 'Registers a browser’s push subscription',
      access: signedIn,
      body: webDeviceBody,
      problems: ['UNKNOWN_PUSH_SERVICE'],
      answer: { status: 204 },
      handle: ({ actor, body }) => devices.registerWeb(actor.id, body),
    }),
    route({
      method: 'delete',
      path: '/push/web',
      tag: 'push',
      summary: 'Forgets a browser’s push subscription of one’s own',
      access: signedIn,
      body: webDeviceRemoval,
      answer: { status: 204 },
      handle: ({ actor, body }) => devices.unregisterWeb(actor.id, body.endpoint),
    }),
  ];
}
