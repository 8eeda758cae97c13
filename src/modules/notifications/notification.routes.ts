import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, orKeyWith, roles, route, signedIn } from '../../core/http/route.js';
import { objectId, shape } from '../../core/http/schema.js';
import { type BatchService } from './batch.service.js';
import { type DeviceService } from './device.service.js';
import { presentNotification } from './notification.presenter.js';
import {
  batchAnswer,
  batchBody,
  batchProgressAnswer,
  countAnswer,
  listFilter,
  mobileDeviceBody,
  mobileDeviceRemoval,
  notificationAnswer,
  vapidKeyAnswer,
  webDeviceBody,
  webDeviceRemoval,
} from './notification.schemas.js';
import { type NotificationService } from './notification.service.js';

export interface NotificationRouteDeps {
  notifications: NotificationService;
  batches: BatchService;
  devices: DeviceService;
  vapidPublicKey: string;
}

export function notificationRoutes(deps: NotificationRouteDeps): Route[] {
  return [...inboxRoutes(deps), ...batchRoutes(deps), ...deviceRoutes(deps)];
}

const tag = 'notifications';

function inboxRoutes({ notifications }: NotificationRouteDeps): Route[] {
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
      description: '`unread=true` lists what has not been read, seen or not. Archived ones are never listed.',
      access: signedIn,
      query: shape(pageQuery, listFilter),
      answer: { status: 200, body: pageOf(notificationAnswer) },
      handle: ({ actor, query }) => notifications.list(actor.id, query),
      present: ({ data, nextCursor }) => ({ data: data.map(presentNotification), nextCursor }),
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
