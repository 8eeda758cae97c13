import { type AnyBulkWriteOperation, type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { tellCancelled, tellDeliveries } from './delivery/tell-deliveries.js';
import { type Inboxes, type InboxState, stateOf, unreadOf } from './inboxes.js';
import { notificationsWithdrawn, notificationUpdated } from './notification.events.js';
import { type Delivery } from './delivery.model.js';
import { type Notification } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { OUTSIDE_CHANNELS } from './notification.types.js';

/** What an event takes back of what one user was told. */
export interface Withdrawal {
  userId: string;
  dedupeKey: string;
  eventId: ObjectId;
}

/** What an event brings back that had been taken back, in its words of now. */
export interface Return extends Withdrawal {
  title: string;
  body: string;
  data: Record<string, unknown>;
}

/** Of each notification the last events are remembered that it follows from; no catch-up goes further back. */
const EVENTS_REMEMBERED = 20;
const UNDONE = 'UNDONE';

/**
 * Takes notifications back whose cause was undone, and brings them back where it is done again. Both leave their event
 * with the notification: one that is handled a second time changes nothing.
 */
export class Withdrawals {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock; inboxes: Inboxes }) {
    this.notifications = deps.database.collection('notifications');
  }

  /**
   * Takes these out of the app, on every device, and cancels what has not been sent. What is being sent is left to its
   * worker, which gives it up before a second attempt.
   */
  async withdraw(session: ClientSession, withdrawals: readonly Withdrawal[]): Promise<void> {
    const found = await this.find(session, withdrawals, false);
    if (found.length === 0) return;
    const shown = await this.leave(
      session,
      found.map(({ notification }) => notification).filter(({ channels }) => channels.inApp),
    );
    const changes = found.map(({ notification, cause }) => {
      const { channels, withheld } = notification;
      const inApp = channels.inApp ?? withheld;
      const position = shown.find((each) => each.notification === notification)?.position;
      return {
        notification,
        update: {
          $set: {
            withdrawn: { ...(inApp && { inApp }) },
            ...(position !== undefined && { position }),
            ...cancelWaiting(notification, UNDONE),
          },
          $unset: { 'channels.inApp': 1, withheld: 1 },
          $push: remember(cause),
        },
      };
    });
    await this.notifications.bulkWrite(
      changes.map(({ notification: { _id }, update }): AnyBulkWriteOperation<Notification> => ({
        updateOne: { filter: { _id }, update },
      })),
      { session },
    );
    await tellWaitingCancelled(
      this.deps.outbox,
      session,
      changes.map(({ notification }) => notification),
    );
    await recordWithdrawn(this.deps.outbox, session, shown);
  }

  /** Counts that these leave the inboxes of their owners. */
  private async leave(session: ClientSession, notifications: readonly Notification[]): Promise<Gone[]> {
    if (notifications.length === 0) return [];
    const { positions, states } = await this.deps.inboxes.count(
      session,
      notifications.map(({ userId, channels }) => ({ userId, unread: -unreadOf(channels.inApp) })),
    );
    return notifications.map((notification, index) => ({
      notification,
      position: positions[index] ?? 0,
      unread: stateOf(states, notification.userId.toHexString()).unread,
    }));
  }

  /** Shows these again as they were, and has decided again about what had been cancelled before it was sent. */
  async bringBack(session: ClientSession, returns: readonly Return[]): Promise<void> {
    const now = this.deps.clock.now();
    for (const { notification, cause } of await this.find(session, returns, true)) {
      const { _id, withdrawn } = notification;
      const { title, body, data } = cause;
      const again = (delivery: Delivery | null | undefined): Delivery | undefined =>
        delivery?.status === 'cancelled' && delivery.reason === UNDONE
          ? { ...delivery, status: 'pending', reason: 'DECIDE_AGAIN', nextAttemptAt: now }
          : undefined;
      const inbox = withdrawn?.inApp ? await this.enter(session, notification.userId, withdrawn.inApp) : undefined;
      const shown = inbox && { 'channels.inApp': withdrawn?.inApp, position: inbox.position };
      const returned = await this.notifications.findOneAndUpdate(
        { _id },
        {
          $set: { title, body, data, ...shown, ...deliveries(notification, again) },
          $unset: { withdrawn: 1 },
          $push: remember(cause) as never,
        },
        { session, returnDocument: 'after' },
      );
      for (const channel of OUTSIDE_CHANNELS) {
        if (returned?.channels[channel]?.status !== 'pending' || !again(notification.channels[channel])) continue;
        const change = { notification, was: 'cancelled', status: 'pending' } as const;
        await tellDeliveries(this.deps.outbox, session, channel, [change]);
      }
      if (!returned || !inbox) continue;
      // Not as new: whoever takes something back and does it again should not call twice.
      await this.deps.outbox.record(session, notificationUpdated, {
        entity: { kind: 'notification', id: _id.toHexString() },
        audience: { userIds: [cause.userId] },
        data: { notification: presentNotification(returned), ...inbox },
      });
    }
  }

  /** Counts that one of the user's is in the inbox again. */
  private async enter(
    session: ClientSession,
    userId: ObjectId,
    inApp: NonNullable<Notification['channels']['inApp']>,
  ): Promise<InboxState> {
    const { states } = await this.deps.inboxes.count(session, [{ userId, unread: unreadOf(inApp) }]);
    return stateOf(states, userId.toHexString());
  }

  /** Those that are withdrawn, or are not, and do not follow from the event yet; by the unique index. */
  private async find<Cause extends Withdrawal>(session: ClientSession, causes: readonly Cause[], withdrawn: boolean) {
    if (causes.length === 0) return [];
    const byKey = new Map(causes.map((cause) => [`${cause.userId} ${cause.dedupeKey}`, cause]));
    const found = await this.notifications
      .find(
        {
          $or: [...byKey.values()].map(({ userId, dedupeKey }) => ({ userId: new ObjectId(userId), dedupeKey })),
          withdrawn: { $exists: withdrawn },
        },
        { session },
      )
      .toArray();
    return found.flatMap((notification) => {
      const cause = byKey.get(`${notification.userId.toHexString()} ${notification.dedupeKey}`);
      const isKnown = notification.eventIds?.some((id) => cause?.eventId.equals(id)) ?? false;
      return cause && !isKnown ? [{ notification, cause }] : [];
    });
  }
}

/** One that has left its owner's inbox, and how that stands after it. */
export interface Gone extends InboxState {
  notification: Pick<Notification, '_id' | 'userId'>;
}

/** Tells of notifications that are in their owners' lists no longer. */
export async function recordWithdrawn(outbox: Outbox, session: ClientSession, gone: readonly Gone[]): Promise<void> {
  const [first] = gone;
  if (!first) return;
  await outbox.record(session, notificationsWithdrawn, {
    entity: { kind: 'notification', id: first.notification._id.toHexString() },
    audience: { userIds: gone.map(({ notification }) => notification.userId.toHexString()) },
    data: {
      items: gone.map(({ notification: { _id, userId }, position, unread }) => ({
        notificationId: _id.toHexString(),
        userId: userId.toHexString(),
        position,
        unread,
      })),
    },
  });
}

function remember({ eventId }: Withdrawal) {
  return { eventIds: { $each: [eventId], $slice: -EVENTS_REMEMBERED } };
}

/** Tells of what has been cancelled by `cancelWaiting`, of notifications as they were before. */
export async function tellWaitingCancelled(
  outbox: Outbox,
  session: ClientSession,
  notifications: readonly Notification[],
): Promise<void> {
  for (const channel of OUTSIDE_CHANNELS) await tellCancelled(outbox, session, channel, notifications);
}

/** What waits to be sent is sent to nobody: the deliveries that change, as they are set. */
export function cancelWaiting(notification: Notification, reason: string): Record<string, Delivery> {
  return deliveries(notification, ({ status, attempts, sentTo }) =>
    status === 'pending' || status === 'failed'
      ? { status: 'cancelled', attempts, reason, ...(sentTo && { sentTo }) }
      : undefined,
  );
}

function deliveries(
  { channels }: Notification,
  change: (delivery: Delivery) => Delivery | undefined,
): Record<string, Delivery> {
  return Object.fromEntries(
    OUTSIDE_CHANNELS.flatMap((channel) => {
      const delivery = channels[channel];
      const changed = delivery ? change(delivery) : undefined;
      return changed ? [[`channels.${channel}`, changed] as const] : [];
    }),
  );
}
