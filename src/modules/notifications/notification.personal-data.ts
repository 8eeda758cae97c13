import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { exportedList, exportedObject, type PersonalData } from '../../core/personal-data.js';
import { type DeadLetter, deadLetterCollection } from './dead-letters/dead-letter.model.js';
import { type Digest, digestCollection } from './digests/digest.model.js';
import { type ForegroundUser, foregroundUsers } from './foreground/foreground.model.js';
import { type Inbox, inboxCollection } from './inbox.model.js';
import { type InboxChanges } from './inbox-changes.js';
import { type Inboxes, stateOf } from './inboxes.js';
import { type Lines } from './lines.js';
import { notificationsHidden } from './notification.events.js';
import { type Mute, muteCollection } from './mute.model.js';
import { subjectKey, subjectOf } from './mute.service.js';
import { type Batch, type Device, type Notification, type NotificationModels } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { UNREAD } from './notification.types.js';
import { type Placement, placementCollection } from './placements/placement.model.js';
import { type NotificationSettingsService } from './settings.service.js';

export interface NotificationDataDeps {
  database: Database;
  outbox: Outbox;
  models: NotificationModels;
  settings: NotificationSettingsService;
  inboxes: Inboxes;
  lines: Lines;
  changes: InboxChanges;
}

/** What a user was told, on which devices and by which choice; and what others were told of the user. */
export function notificationData(deps: NotificationDataDeps): PersonalData {
  const { database, outbox, models, settings, inboxes, lines, changes } = deps;
  const notifications = database.collection<Notification>('notifications');
  const devices = database.collection<Device>('devices');
  const mutes = database.collection<Mute>(muteCollection.name);
  const batches = database.collection<Batch>('notificationBatches');
  const digests = database.collection<Digest>(digestCollection.name);
  const deadLetters = database.collection<DeadLetter>(deadLetterCollection.name);

  /** They carry the user's name, and often words of theirs. */
  const removeFromOthers = async (actorId: ObjectId): Promise<void> => {
    for (const recipient of await notifications.distinct('userId', { actorIds: actorId })) {
      const userId = recipient.toHexString();
      await database.inTransaction(async (session) => {
        const told = { userId: recipient, actorIds: actorId };
        const ids = await notifications.distinct('_id', told, { session });
        const isUnread = { ...told, 'channels.inApp.status': { $in: UNREAD } };
        const unread = await notifications.countDocuments(isUnread, { session });
        const inLines = { ...told, line: { $exists: true } };
        const left = await lines.without(session, await notifications.find(inLines, { session }).toArray());
        await notifications.deleteMany(told, { session });
        await changes.publish(session, left.changes);
        await deadLetters.deleteMany({ notificationId: { $in: ids } }, { session });
        const states = await inboxes.hide(session, [{ userId: recipient, unread: -unread }]);
        await outbox.record(session, notificationsHidden, {
          entity: { kind: 'user', id: userId },
          audience: { userIds: [userId] },
          data: { userId, ...stateOf(states, userId) },
        });
      });
    }
  };

  return {
    name: 'notifications',
    collections: [
      'notifications',
      'notificationBatches',
      'devices',
      'notificationSettings',
      muteCollection.name,
      inboxCollection.name,
      deadLetterCollection.name,
      digestCollection.name,
      foregroundUsers.name,
      placementCollection.name,
    ],
    async *export(userId) {
      const own = new ObjectId(userId);
      yield* exportedList('notifications', notifications.find({ userId: own }), presentOwn);
      yield* exportedList(
        'devices',
        devices.find({ userId: own }),
        ({ channel, address, platform, app, locale, updatedAt }) => ({
          channel,
          address,
          ...(platform != null && { platform }),
          ...(app != null && { app }),
          ...(locale != null && { locale }),
          updatedAt,
        }),
      );
      yield exportedObject('notification-settings', await settings.read(userId));
      yield* exportedList('notification-mutes', mutes.find({ userId: own }), ({ key, until, createdAt }) => ({
        ...subjectOf(key),
        ...(until && { until }),
        createdAt,
      }));
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      await notifications.deleteMany({ userId: own });
      await database.collection<Inbox>(inboxCollection.name).deleteOne({ _id: own });
      await deadLetters.deleteMany({ userId: own });
      await digests.deleteMany({ userId: own });
      await devices.deleteMany({ userId: own });
      await database.collection<ForegroundUser>(foregroundUsers.name).deleteMany({ userId: own });
      await database.collection<Placement>(placementCollection.name).deleteMany({ userId: own });
      await models.settings.deleteOne({ _id: own });
      await mutes.deleteMany({ userId: own });
      await mutes.deleteMany({ key: subjectKey({ kind: 'user', id: userId }) });
      await batches.updateMany({ userIds: own }, { $pull: { userIds: own } });
      // One that was for this user alone may well address them by name.
      await batches.deleteMany({ userIds: { $size: 0 } });
      await removeFromOthers(own);
    },
  };
}

/** The body of what someone else caused may be their words; the title says who did what. */
function presentOwn(notification: Notification): object {
  const { id, type, category, entity, title, body, deepLink, actorIds, channels, createdAt } =
    presentNotification(notification);
  return {
    id,
    type,
    category,
    entity,
    title,
    ...(actorIds.length === 0 && { body }),
    deepLink,
    actorIds,
    channels,
    createdAt,
  };
}
