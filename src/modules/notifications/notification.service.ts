import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { notFound } from '../../core/http/problem.js';
import { copyOf, type InboxChanges, stopWaiting } from './inbox-changes.js';
import { type Inboxes } from './inboxes.js';
import { type Lines } from './lines.js';
import { notificationsAllRead } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { type Category, type InAppStatus, LISTED, type NotificationType, UNREAD } from './notification.types.js';

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
    private readonly deps: {
      database: Database;
      outbox: Outbox;
      pager: Pager;
      clock: Clock;
      inboxes: Inboxes;
      lines: Lines;
      changes: InboxChanges;
    },
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
   * Moves one of the user's own on to `seen`, `read` or `archived`; if it is that far already nothing changes. One that
   * is told with others stands for all of them, as it was shown by a client that has not heard of the newest yet.
   * @throws Problem 404 `NOTIFICATION_NOT_FOUND`
   */
  async advance(userId: string, id: string, to: keyof typeof REACHED_FROM): Promise<Notification> {
    return this.deps.database.inTransaction(async (session) => {
      const before = await this.shown(session, userId, id);
      if (!REACHED_FROM[to].includes(before.channels.inApp?.status ?? to)) return before;
      const after = copyOf(before);
      after.channels.inApp = { status: to };
      await this.deps.changes.publish(session, [{ before, after }]);
      return after;
    });
  }

  /**
   * Takes one of the user's own out of the list, on every device and for good, with those that are told with it; what
   * has not been sent is not sent.
   * @throws Problem 404 `NOTIFICATION_NOT_FOUND`
   */
  async remove(userId: string, id: string): Promise<void> {
    const { database, clock, changes } = this.deps;
    await database.inTransaction(async (session) => {
      const before = await this.shown(session, userId, id);
      const after = copyOf(before);
      after.deletedAt = clock.now();
      delete after.channels.inApp;
      delete after.group;
      stopWaiting(after, 'DELETED');
      await changes.publish(session, [{ before, after }]);
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

  /** What the app shows as this one: itself, or the newest of its line. */
  private async shown(session: ClientSession, userId: string, id: string): Promise<Notification> {
    const own = await this.collection().findOne({ _id: new ObjectId(id), userId: new ObjectId(userId) }, { session });
    if (own?.channels.inApp) return own;
    const head = own?.line && (await this.deps.lines.heads(session, [own.line])).get(own.line.toHexString());
    if (!head) throw notFound('NOTIFICATION_NOT_FOUND', 'There is no such notification.');
    return head;
  }

  private collection() {
    return this.deps.database.collection<Notification>('notifications');
  }
}
