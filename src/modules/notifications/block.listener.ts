import { type ClientSession, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { userBlocked } from '../privacy/index.js';
import { tellCancelled, TOLD_FIELDS } from './delivery/tell-deliveries.js';
import { type InboxChanges } from './inbox-changes.js';
import { type Inboxes, stateOf } from './inboxes.js';
import { type Lines } from './lines.js';
import { notificationsHidden } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { OUTSIDE_CHANNELS, UNREAD } from './notification.types.js';

export interface BlockListenerDeps {
  database: Database;
  outbox: Outbox;
  inboxes: Inboxes;
  lines: Lines;
  changes: InboxChanges;
}

/** Takes away, for good, what two users were told of each other before one blocked the other. */
export function blockListener({ database, outbox, inboxes, lines, changes }: BlockListenerDeps): Listener {
  const notifications = database.collection<Notification>('notifications');

  /** What is left of these is the record of their delivery. What waits to be sent is sent to nobody. */
  const hide = async (session: ClientSession, userId: string, actorId: string, until: Date): Promise<void> => {
    const told = {
      userId: new ObjectId(userId),
      actorIds: new ObjectId(actorId),
      createdAt: { $lte: until },
    };
    const inLines = { ...told, line: { $exists: true } };
    const left = await lines.without(session, await notifications.find(inLines, { session }).toArray());
    for (const channel of OUTSIDE_CHANNELS) {
      const status = `channels.${channel}.status`;
      const waiting = { ...told, [status]: { $in: ['pending', 'failed'] } };
      const projection = { ...TOLD_FIELDS, [status]: 1 };
      await tellCancelled(
        outbox,
        session,
        channel,
        await notifications.find(waiting, { session, projection }).toArray(),
      );
      await notifications.updateMany(
        waiting,
        {
          $set: { [status]: 'cancelled' },
          $unset: { [`channels.${channel}.nextAttemptAt`]: 1 },
        },
        { session },
      );
    }
    const unread = await notifications.countDocuments(
      { ...told, 'channels.inApp.status': { $in: UNREAD } },
      { session },
    );
    const { modifiedCount } = await notifications.updateMany(
      { ...told, $or: [{ 'channels.inApp': { $exists: true } }, { line: { $exists: true } }] },
      { $unset: { 'channels.inApp': 1, line: 1, group: 1 } },
      { session },
    );
    await changes.publish(session, left.changes);
    if (modifiedCount === 0) return;
    const states = await inboxes.hide(session, [{ userId: told.userId, unread: -unread }]);
    await outbox.record(session, notificationsHidden, {
      entity: { kind: 'user', id: userId },
      audience: { userIds: [userId] },
      data: { userId, ...stateOf(states, userId) },
    });
  };

  return {
    name: 'blocked notifications',
    types: [userBlocked],
    async handle(events, session) {
      for (const event of events) {
        if (!isEvent(event, userBlocked)) continue;
        const { blockerId, blockedId } = event.data;
        await hide(session, blockerId, blockedId, event.at);
        await hide(session, blockedId, blockerId, event.at);
      }
    },
  };
}
