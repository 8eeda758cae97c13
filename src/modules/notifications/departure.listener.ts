import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type DeletionService, userDeleted, userRestored } from '../users/index.js';
import { type Inboxes } from './inboxes.js';
import { notificationsHidden } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { UNREAD } from './notification.types.js';

/**
 * Puts away what others were told of someone who has given up the account, and brings it back with the account. What
 * counts is how it stands now and not which event says so, so that any order ends well.
 */
export function departureListener(
  database: Database,
  outbox: Outbox,
  deletions: Pick<DeletionService, 'isGivenUp'>,
  inboxes: Inboxes,
): Listener {
  const notifications = database.collection<Notification>('notifications');
  return {
    name: 'notifications of the departed',
    types: [userDeleted, userRestored],
    async handle(events, session) {
      const whose = new Set((events as DomainEvent<{ userId: string }>[]).map(({ data }) => data.userId));
      for (const userId of whose) {
        const [from, to, sign] = (await deletions.isGivenUp(userId))
          ? (['channels.inApp', 'withheld', -1] as const)
          : (['withheld', 'channels.inApp', 1] as const);
        const told = { actorIds: new ObjectId(userId), [from]: { $exists: true } };
        const isUnread = { $in: [`$${from}.status`, UNREAD] };
        const recipients = await notifications
          .aggregate<{ _id: ObjectId; unread: number }>(
            [{ $match: told }, { $group: { _id: '$userId', unread: { $sum: { $cond: [isUnread, 1, 0] } } } }],
            { session },
          )
          .toArray();
        if (recipients.length === 0) continue;
        await notifications.updateMany(told, { $rename: { [from]: to } }, { session });
        const states = await inboxes.hide(
          session,
          recipients.map(({ _id, unread }) => ({ userId: _id, unread: sign * unread })),
        );
        await outbox.recordAll(
          session,
          notificationsHidden,
          [...states].map(([id, state]) => ({
            entity: { kind: 'user', id },
            audience: { userIds: [id] },
            data: { userId: id, ...state },
          })),
        );
      }
    },
  };
}
