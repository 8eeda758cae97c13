import { type ClientSession, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type DeletionService, userDeleted, userRestored } from '../users/index.js';
import { type Change, copyOf, type InboxChanges } from './inbox-changes.js';
import { type Inboxes } from './inboxes.js';
import { type Lines } from './lines.js';
import { notificationsHidden } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { UNREAD } from './notification.types.js';

export interface DepartureListenerDeps {
  database: Database;
  outbox: Outbox;
  deletions: Pick<DeletionService, 'isGivenUp'>;
  inboxes: Inboxes;
  lines: Lines;
  changes: InboxChanges;
}

/**
 * Puts away what others were told of someone who has given up the account, and brings it back with the account. What
 * counts is how it stands now and not which event says so, so that any order ends well.
 */
export function departureListener(deps: DepartureListenerDeps): Listener {
  const { database, outbox, deletions, inboxes, lines, changes } = deps;
  const notifications = database.collection<Notification>('notifications');

  /** What stands in lines leaves them, and comes back into them. */
  const moveInLines = async (session: ClientSession, actorIds: ObjectId, leaves: boolean): Promise<void> => {
    const place = leaves ? 'line' : 'withheldLine';
    const found = await notifications.find({ actorIds, [place]: { $exists: true } }, { session }).toArray();
    if (found.length === 0) return;
    if (!leaves) {
      await changes.publish(session, await lines.rejoin(session, found.map(returned)));
      return;
    }
    const left = await lines.without(session, found);
    const withheld = found.map((each) => withheldFrom(each, left.heads));
    await changes.publish(session, [...withheld, ...left.changes]);
  };

  return {
    name: 'notifications of the departed',
    types: [userDeleted, userRestored],
    async handle(events, session) {
      const whose = new Set((events as DomainEvent<{ userId: string }>[]).map(({ data }) => data.userId));
      for (const userId of whose) {
        const leaves = await deletions.isGivenUp(userId);
        const [from, to, sign] = leaves
          ? (['channels.inApp', 'withheld', -1] as const)
          : (['withheld', 'channels.inApp', 1] as const);
        await moveInLines(session, new ObjectId(userId), leaves);
        const told = { actorIds: new ObjectId(userId), [from]: { $exists: true }, withheldLine: { $exists: false } };
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

function withheldFrom(before: Notification, heads: ReadonlyMap<string, Notification>): Change {
  const { line, group: _, ...after } = copyOf(before);
  const inApp = before.channels.inApp ?? heads.get(line?.toHexString() ?? '')?.channels.inApp;
  delete after.channels.inApp;
  if (inApp) after.withheld = inApp;
  if (line) after.withheldLine = line;
  return { before, after };
}

function returned(before: Notification): Change {
  const { withheld, withheldLine, ...after } = copyOf(before);
  if (withheld) after.channels.inApp = withheld;
  if (withheldLine) after.line = withheldLine;
  return { before, after };
}
