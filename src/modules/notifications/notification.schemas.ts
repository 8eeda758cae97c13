import {
  anything,
  described,
  flag,
  type Infer,
  instant,
  list,
  matching,
  named,
  nullable,
  objectId,
  oneOf,
  record,
  type Schema,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { audienceBody, LOCALES } from '../users/index.js';
import {
  CATEGORIES,
  CHANNELS,
  DELIVERY_STATUSES,
  IN_APP_STATUSES,
  NOTIFICATION_TYPE_NAMES,
} from './notification.types.js';

const delivery = named(
  'Delivery',
  shape(
    { status: oneOf(DELIVERY_STATUSES), attempts: whole({ min: 0 }) },
    {
      nextAttemptAt: instant(),
      providerMessageId: text(),
      error: text(),
      reason: text(),
      sentAt: instant(),
      deliveredAt: instant(),
      openedAt: described(instant(), 'When its provider saw it opened; many readers keep that to themselves.'),
      bouncedAt: instant(),
    },
  ),
);

export const notificationAnswer = named(
  'Notification',
  shape({
    id: objectId(),
    userId: objectId(),
    type: oneOf(NOTIFICATION_TYPE_NAMES),
    category: oneOf(CATEGORIES),
    actorIds: described(list(objectId()), 'Who caused it; of several that are told as one, the newest few first.'),
    count: described(whole({ min: 1 }), 'How many are told as this one.'),
    entity: shape({ kind: text(), id: text() }),
    title: text(),
    body: text({ min: 0 }),
    deepLink: text(),
    data: record(text(), anything()),
    locale: oneOf(LOCALES),
    groupKey: text(),
    dedupeKey: text(),
    channels: shape(
      {},
      {
        inApp: shape({ status: oneOf(IN_APP_STATUSES) }),
        email: delivery,
        webPush: delivery,
        mobilePush: delivery,
        sms: delivery,
      },
    ),
    createdAt: instant(),
  }),
);

export const listFilter = { unread: flag(), type: oneOf(NOTIFICATION_TYPE_NAMES), category: oneOf(CATEGORIES) };

export const since = described(
  matching(/^(latest|\d{1,15}(-\d{1,15}(-\d{1,15}-[0-9a-f]{24})?)?)$/, {
    max: 100,
    message: 'must be `latest` or a position that was answered',
  }),
  'What has changed since this position; `latest` answers the position of now.',
);

export const changesAnswer = named(
  'NotificationChanges',
  shape(
    {
      data: list(notificationAnswer),
      withdrawn: described(list(objectId()), 'Those that are gone from the list.'),
      unreadCount: whole({ min: 0 }),
      position: described(text(), 'Where to go on from.'),
      hasMore: flag(),
    },
    { readUpTo: described(objectId(), 'Everything up to this one was read, before what else has changed.') },
  ),
);

export const countAnswer = named('Count', shape({ count: whole({ min: 0 }) }));

export const unreadPayload = named('UnreadCount', shape({ count: whole({ min: 0 }) }, { readUpTo: objectId() }));

const batchParts = shape(
  { type: oneOf(['SYSTEM']), title: text({ min: 1, max: 120 }), body: text({ min: 1, max: 1_000 }) },
  {
    userIds: list(objectId(), { min: 1, max: 1_000, unique: true }),
    audience: audienceBody,
    channels: described(
      list(oneOf(CHANNELS), { min: 1, max: CHANNELS.length, unique: true }),
      'All of them but SMS unless given; each recipient’s own settings hold.',
    ),
    sendAt: instant(),
  },
);
type BatchParts = Infer<typeof batchParts>;

export const batchBody: Schema<BatchParts> = named(
  'NewNotifications',
  batchParts.custom((parts: BatchParts, helpers) =>
    (parts.userIds === undefined) === (parts.audience === undefined)
      ? helpers.message({ custom: 'must have either userIds or an audience' })
      : parts,
  ),
);
export const batchAnswer = named('NotificationBatch', shape({ batchId: objectId() }));
export const batchProgressAnswer = named(
  'NotificationBatchProgress',
  shape({
    id: objectId(),
    status: oneOf(['pending', 'done']),
    recipients: whole({ min: 0 }),
    created: whole({ min: 0 }),
    channels: record(CHANNELS, record(text(), whole({ min: 0 }))),
    createdAt: instant(),
  }),
);

export const mobileDeviceBody = named(
  'MobileDevice',
  shape(
    {
      token: matching(/^[\w:.%-]+$/, { max: 4_096, message: 'must be a push token' }),
      platform: oneOf(['IOS', 'ANDROID']),
    },
    { app: text({ max: 120 }), locale: oneOf(LOCALES) },
  ),
);
export const mobileDeviceRemoval = shape({
  token: matching(/^[\w:.%-]+$/, { max: 4_096, message: 'must be a push token' }),
});
export const webDeviceBody = named(
  'WebPushSubscription',
  shape(
    {
      endpoint: text({ max: 2_048, multiline: false }),
      keys: shape({
        p256dh: matching(/^[\w-]{86,88}=?$/, { max: 89, message: 'must be a P-256 public key in base64url' }),
        auth: matching(/^[\w-]{21,24}={0,2}$/, { max: 26, message: 'must be 16 bytes in base64url' }),
      }),
    },
    { expirationTime: nullable(whole({ min: 0 })) },
  ),
);
export const webDeviceRemoval = shape({ endpoint: text({ max: 2_048, multiline: false }) });
export const vapidKeyAnswer = named('VapidKey', shape({ publicKey: text() }));
