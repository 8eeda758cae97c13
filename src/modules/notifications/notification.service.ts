import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { notFound } from '../../core/http/problem.js';
import { type Inboxes, stateOf, unreadOf } from './inboxes.js';
import { notificationsAllRead, notificationUpdated } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { type Category, type InAppStatus, LISTED, type NotificationType, UNREAD } from './notification.types.js';
import { cancelWaiting, recordWithdrawn, tellWaitingCancelled } from './withdrawals.js';

export interface ListQuery {
  unread?: boolean | undefined;
  type?: NotificationType | undefined;
  category?: Category | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** Each step leads on from the ones before it, never back. */
const REACHED_FROM: Record<'seen' | 'read' | 'archived', InAppStatus[]> = {
  seen: ['unread'],
  read: ['unread', 'seen'],
  archived: ['unread', 'seen', 'read'],
};

const IN_APP = 'channels.inApp.status';

/** What users do with their notifications. */
export class NotificationService {
  constructor(
    private readonly deps: { database: Database; outbox: Outbox; pager: Pager; clock: Clock; inboxes: Inboxes },
  ) {}

  /** One's own, newest first. */
  list(userId: string, { unread = false, type, category, ...page }: ListQuery): Promise<Page<Notification>> {
    return this.deps.pager.page<Notification>({
      collection: this.collection(),
      filter: {
        userId: new ObjectId(userId),
        [IN_APP]: { $in: unread ? UNREAD : LISTED },
        ...(type && { type }),
        ...(category && { category }),
      },
      sort: [['_id', -1]],
      scope: `notifications of ${userId} ${String(unread)} ${type ?? ''} ${category ?? ''}`,
      ...page,
    });
  }

  /** How many are not read yet. */
  async unreadCount(userId: string): Promise<number> {
    return (await this.deps.inboxes.read(userId)).unread;
  }

  /**
   * Moves one of the user's own on to `seen`, `read` or `archived`; if it is that far already nothing changes.
   * @throws Problem 404 `NOTIFICATION_NOT_FOUND`
   */
  async advance(userId: string, id: string, to: keyof typeof REACHED_FROM): Promise<Notification> {
    const { database, outbox, inboxes } = this.deps;
    const own = { _id: new ObjectId(id), userId: new ObjectId(userId), 'channels.inApp': { $exists: true } };
    return database.inTransaction(async (session) => {
      const notification = await this.collection().findOne(own, { session });
      const from = notification?.channels.inApp;
      if (!notification || !from) throw notFound('NOTIFICATION_NOT_FOUND', 'There is no such notification.');
      if (!REACHED_FROM[to].includes(from.status)) return notification;
      const change = unreadOf({ status: to }) - unreadOf(from);
      const { states } = await inboxes.count(session, [{ userId: own.userId, unread: change }]);
      const inbox = stateOf(states, userId);
      const moved = await this.collection().findOneAndUpdate(
        own,
        { $set: { [IN_APP]: to, position: inbox.position } },
        { returnDocument: 'after', session },
      );
      if (!moved) throw new Error('what a transaction has found it finds again');
      await outbox.record(session, notificationUpdated, {
        actorId: userId,
        entity: { kind: 'notification', id },
        audience: { userIds: [userId] },
        data: { notification: presentNotification(moved), ...inbox },
      });
      return moved;
    });
  }

  /**
   * Takes one of the user's own out of the list, on every device and for good; what has not been sent is not sent.
   * @throws Problem 404 `NOTIFICATION_NOT_FOUND`
   */
  async remove(userId: string, id: string): Promise<void> {
    const { database, outbox, clock, inboxes } = this.deps;
    const own = { _id: new ObjectId(id), userId: new ObjectId(userId), 'channels.inApp': { $exists: true } };
    await database.inTransaction(async (session) => {
      const notification = await this.collection().findOne(own, { session });
      if (!notification) throw notFound('NOTIFICATION_NOT_FOUND', 'There is no such notification.');
      const change = -unreadOf(notification.channels.inApp);
      const { states } = await inboxes.count(session, [{ userId: own.userId, unread: change }]);
      const inbox = stateOf(states, userId);
      await this.collection().updateOne(
        own,
        {
          $set: {
            deletedAt: clock.now(),
            position: inbox.position,
            ...cancelWaiting(notification, 'DELETED'),
          },
          $unset: { 'channels.inApp': 1 },
        },
        { session },
      );
      await tellWaitingCancelled(outbox, session, [notification]);
      await recordWithdrawn(outbox, session, [{ notification, ...inbox }]);
    });
  }

  /** Marks all that exist now as read, on every device; what arrives meanwhile stays unread. */
  async readAll(userId: string): Promise<void> {
    const { database, outbox, inboxes } = this.deps;
    const owner = new ObjectId(userId);
    const unread = { userId: owner, [IN_APP]: { $in: UNREAD } };
    await database.inTransaction(async (session) => {
      const newest = await this.collection().findOne(unread, { sort: { _id: -1 }, projection: { _id: 1 }, session });
      if (!newest) return;
      const { modifiedCount } = await this.collection().updateMany(
        { ...unread, _id: { $lte: newest._id } },
        { $set: { [IN_APP]: 'read' } },
        { session },
      );
      const inbox = await inboxes.readAll(session, owner, -modifiedCount, newest._id);
      await outbox.record(session, notificationsAllRead, {
        actorId: userId,
        entity: { kind: 'user', id: userId },
        audience: { userIds: [userId] },
        data: { userId, readUpTo: newest._id.toHexString(), ...inbox },
      });
    });
  }

  /** Notifications by id, for those who are connected to hear of them. */
  byIds(ids: string[]): Promise<Notification[]> {
    return this.collection()
      .find({ _id: { $in: ids.map((id) => new ObjectId(id)) } })
      .toArray();
  }

  private collection() {
    return this.deps.database.collection<Notification>('notifications');
  }
}
