import { type Connection, type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';
import { type Stepwise } from '../../core/jobs/step-worker.js';
import { LOCALES } from '../users/index.js';
import { announcementCollection } from './announcements/announcement.model.js';
import { deliverySchema } from './delivery.model.js';
import { muteCollection } from './mute.model.js';
import { deadLetterCollection } from './dead-letters/dead-letter.model.js';
import { DIGEST_FREQUENCIES } from './digests/digest-times.js';
import { digestCollection } from './digests/digest.model.js';
import { paceCollection } from './delivery/pace-collection.js';
import { providerEventCollection } from './feedback/provider-event.model.js';
import { endingCollection } from './endings/ending.model.js';
import { placementCollection } from './placements/placement.model.js';
import { foregroundUsers } from './foreground/foreground.model.js';
import { messageNewsCollection } from './messages/news.model.js';
import { inboxCollection } from './inbox.model.js';
import { suppressionCollection } from './suppressions/suppression.model.js';
import { CATEGORIES, IN_APP_STATUSES, NOTIFICATION_TYPE_NAMES, OUTSIDE_CHANNELS } from './notification.types.js';
import { countedEventCollection, dailyStatisticsCollection } from './statistics/statistics.model.js';

const inAppSchema = new Schema({ status: { type: String, enum: IN_APP_STATUSES, required: true } }, { _id: false });

const groupSchema = new Schema(
  { count: { type: Number, required: true }, actorIds: { type: [Schema.Types.ObjectId], required: true } },
  { _id: false },
);

export const notificationSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    type: { type: String, enum: NOTIFICATION_TYPE_NAMES, required: true },
    category: { type: String, enum: CATEGORIES, required: true },
    actorIds: { type: [Schema.Types.ObjectId], required: true },
    entity: { type: new Schema({ kind: String, id: String }, { _id: false }), required: true },
    title: { type: String, required: true },
    body: { type: String, required: true },
    deepLink: { type: String, required: true },
    data: { type: Schema.Types.Mixed, required: true },
    locale: { type: String, enum: LOCALES, required: true },
    groupKey: { type: String, required: true },
    dedupeKey: { type: String, required: true },
    /** What it is about, as far as that can be muted or come to an end: `post:` and the id. */
    about: { type: [String], default: undefined },
    /** The batch or announcement it was sent with, if any. */
    batchId: { type: Schema.Types.ObjectId },
    /** One of very many: its deliveries let those of others go first. */
    bulk: { type: Boolean },
    /** Where its mail goes, if not to the recipient's address; never shown. */
    mailTo: { type: String },
    /** Where its SMS goes, if not to the recipient's number: one that is to be shown to be theirs; never shown. */
    smsTo: { type: String },
    channels: {
      type: new Schema(
        {
          inApp: { type: inAppSchema },
          email: { type: deliverySchema },
          webPush: { type: deliverySchema },
          mobilePush: { type: deliverySchema },
          sms: { type: deliverySchema },
        },
        { _id: false },
      ),
      required: true,
    },
    /** The line in the app that it is part of, by its first one's id: the newest one shows it, and the others nothing. */
    line: { type: Schema.Types.ObjectId },
    /** In the newest one of a line: how many it is, if several, and by whom, the newest few first. */
    group: { type: groupSchema },
    /** How many messages it tells of by itself, if several. */
    occurrences: { type: Number },
    /** The conversation whose messages it tells of, until they are read; of a line, in the newest one. */
    unreadIn: { type: Schema.Types.ObjectId },
    /** Since when its line waits to be read before it is mailed. */
    unreadSince: { type: Date },
    /** What `channels.inApp` was before whoever it tells of gave up the account: it is shown again if they return. */
    withheld: { type: inAppSchema },
    /** And what `line` was. */
    withheldLine: { type: Schema.Types.ObjectId },
    /** Present while its cause is undone; what `channels.inApp` and `line` were counts again if that is done again. */
    withdrawn: {
      type: new Schema({ inApp: { type: inAppSchema }, line: Schema.Types.ObjectId }, { _id: false }),
    },
    /** When its owner deleted it. It is kept as the record of its delivery, and so that it is not written again. */
    deletedAt: { type: Date },
    /** Its places among the changes of its owner's inbox, that of its arrival and that of its last change. */
    arrivedAt: { type: Number },
    position: { type: Number },
    /** When it was last told how its deliveries stand. */
    toldAt: { type: Date },
    /** The last events that wrote it, took it back or brought it back. */
    eventIds: { type: [Schema.Types.ObjectId], default: undefined },
    /** Where it stands in the trace of what caused it, if that is traced: its deliveries go on there. */
    traceparent: { type: String },
    createdAt: { type: Date, required: true },
  },
  { collection: 'notifications', versionKey: false, minimize: false },
);
// Nobody is told the same thing twice, whatever is handled again.
notificationSchema.index({ userId: 1, dedupeKey: 1 }, { unique: true });
// One's own, newest first, all or unread only.
notificationSchema.index({ userId: 1, 'channels.inApp.status': 1, _id: -1 });
// What has changed for a user since a position.
notificationSchema.index({ userId: 1, position: 1 }, { partialFilterExpression: { position: { $exists: true } } });
// Whose deliveries have changed for a user since a moment, in the order in which that was told.
notificationSchema.index({ userId: 1, toldAt: 1, _id: 1 }, { partialFilterExpression: { toldAt: { $exists: true } } });
// What others were told of a user, to be put away, shown again or erased with the account.
notificationSchema.index({ actorIds: 1, userId: 1 });
// The line of a group that is not read yet.
notificationSchema.index(
  { userId: 1, groupKey: 1, 'channels.inApp.status': 1 },
  { partialFilterExpression: { line: { $exists: true } } },
);
// Who shows a line, and the newest of those that would be next.
notificationSchema.index(
  { line: 1, 'channels.inApp.status': 1, _id: -1 },
  { partialFilterExpression: { line: { $exists: true } } },
);
// What was told about something, the oldest first, to be withdrawn with it.
notificationSchema.index({ about: 1, _id: 1 }, { partialFilterExpression: { about: { $exists: true } } });
// What a member was told of a conversation and has not read, and what all of them were, the oldest first.
const UNREAD_MESSAGES = { partialFilterExpression: { unreadIn: { $exists: true } } };
notificationSchema.index({ unreadIn: 1, userId: 1 }, UNREAD_MESSAGES);
notificationSchema.index({ unreadIn: 1, _id: 1 }, UNREAD_MESSAGES);
// How far a batch has come; those of an announcement in the order of their ids, to be cancelled page by page.
notificationSchema.index({ batchId: 1, _id: 1 }, { partialFilterExpression: { batchId: { $exists: true } } });
// What goes with a digest, the newest first.
notificationSchema.index(
  { 'channels.email.digestId': 1, _id: -1 },
  { partialFilterExpression: { 'channels.email.digestId': { $exists: true } } },
);
// Which one an SMS was, as whoever reports on it names it.
notificationSchema.index(
  { 'channels.sms.providerMessageId': 1 },
  { partialFilterExpression: { 'channels.sms.providerMessageId': { $exists: true } } },
);
for (const channel of OUTSIDE_CHANNELS) {
  // What is due on this channel, the oldest first, in each of the two lanes, and the claims that ran out. It holds only
  // what is still to be done.
  const [claim, dueAt] = [`channels.${channel}.claim`, `channels.${channel}.nextAttemptAt`];
  notificationSchema.index(
    { bulk: 1, [claim]: 1, [dueAt]: 1 },
    { partialFilterExpression: { [dueAt]: { $exists: true } } },
  );
}

export type Notification = InferSchemaType<typeof notificationSchema> & { _id: Types.ObjectId };

/** Notifications that an admin asked for: the list of recipients, until they all have theirs. */
export const batchSchema = new Schema(
  {
    createdBy: { type: Schema.Types.ObjectId, required: true },
    userIds: { type: [Schema.Types.ObjectId], required: true },
    title: { type: String, required: true },
    body: { type: String, required: true },
    channels: { type: [String], required: true },
    status: { type: String, enum: ['pending', 'done'] as const, required: true },
    /** When it is due, or the end of a worker's claim. Absent when done. */
    nextAttemptAt: { type: Date },
    claim: { type: String },
    createdAt: { type: Date, required: true },
  },
  { collection: 'notificationBatches', versionKey: false },
);
// What is due, the oldest first.
batchSchema.index({ nextAttemptAt: 1 }, { partialFilterExpression: { nextAttemptAt: { $exists: true } } });

export type Batch = InferSchemaType<typeof batchSchema> & Stepwise;

/** Where a user can be reached by push: a phone's token or a browser's subscription. */
export const deviceSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    channel: { type: String, enum: ['webPush', 'mobilePush'] as const, required: true },
    /** The token, or the endpoint's URL. */
    address: { type: String, required: true },
    keys: { type: new Schema({ p256dh: String, auth: String }, { _id: false }) },
    platform: { type: String, enum: ['IOS', 'ANDROID'] as const },
    app: { type: String },
    locale: { type: String },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'devices', versionKey: false },
);
// A token or subscription belongs to the user who registered it last.
deviceSchema.index({ channel: 1, address: 1 }, { unique: true });
// A user's devices; answers "who has any" from its keys alone.
deviceSchema.index({ userId: 1, channel: 1, updatedAt: -1 });

export type Device = InferSchemaType<typeof deviceSchema> & { _id: Types.ObjectId };

/** What a user has switched off or on again, when to be quiet, and how often to be mailed; the rest is as usual. */
export const settingsSchema = new Schema(
  {
    _id: { type: Schema.Types.ObjectId, required: true }, // the user
    preferences: { type: Schema.Types.Mixed },
    quietHours: { type: Schema.Types.Mixed },
    digest: { type: String, enum: DIGEST_FREQUENCIES },
    grouping: { type: Schema.Types.Mixed },
    /** When the user muted something last: of several at once each is counted. */
    mutedAt: { type: Date },
  },
  { collection: 'notificationSettings', versionKey: false },
);

export type NotificationSettingsRow = InferSchemaType<typeof settingsSchema>;

export const notificationCollections = [
  collectionOf('notifications', notificationSchema),
  collectionOf('notificationBatches', batchSchema),
  collectionOf('devices', deviceSchema),
  collectionOf('notificationSettings', settingsSchema),
  muteCollection,
  inboxCollection,
  paceCollection,
  deadLetterCollection,
  digestCollection,
  suppressionCollection,
  providerEventCollection,
  announcementCollection,
  dailyStatisticsCollection,
  countedEventCollection,
  endingCollection,
  placementCollection,
  messageNewsCollection,
  foregroundUsers,
];

/** The models of this module on this connection. */
export function notificationModels(connection: Connection) {
  return {
    notifications: connection.model('Notification', notificationSchema),
    batches: connection.model('NotificationBatch', batchSchema),
    devices: connection.model('Device', deviceSchema),
    settings: connection.model('NotificationSettings', settingsSchema),
  };
}
export type NotificationModels = ReturnType<typeof notificationModels>;
