import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type DeletionService, userDeleted, userRestored } from '../users/index.js';
import { notificationsHidden } from './notification.events.js';
import { type Notification } from './notification.model.js';

/**
 * Puts away what others were told of someone who has given up the account, and brings it back with the account. What
 * counts is how it stands now and not which event says so, so that any order ends well.
 */
export function departureListener(
  database: Database,
  outbox: Outbox,
  deletions: Pick<DeletionService, 'isGivenUp'>,
): Listener {
  const notifications = database.collection<Notification>('notifications');
  return {
    name: 'notifications of the departed',
    types: [userDeleted, userRestored],
    async handle(events, session) {
      const whose = new Set((events as DomainEvent<{ userId: string }>[]).map(({ data }) => data.userId));
      for (const userId of whose) {
        const [from, to] = (await deletions.isGivenUp(userId))
          ? (['channels.inApp', 'withheld'] as const)
          : (['withheld', 'channels.inApp'] as const);
        const told = { actorIds: new ObjectId(userId), [from]: { $exists: true } };
        const recipients = await notifications.distinct('userId', told, { session });
        if (recipients.length === 0) continue;
        await notifications.updateMany(told, { $rename: { [from]: to } }, { session });
        await outbox.recordAll(
          session,
          notificationsHidden,
          recipients.map((recipient) => {
            const id = recipient.toHexString();
            return { entity: { kind: 'user', id }, audience: { userIds: [id] }, data: { userId: id } };
          }),
        );
      }
    },
  };
}
