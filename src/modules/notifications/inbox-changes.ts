import { type ClientSession } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { tellDeliveries } from './delivery/tell-deliveries.js';
import { type Delivery } from './delivery.model.js';
import { type Inboxes, type InboxState, stateOf, unreadOf } from './inboxes.js';
import { notificationsWithdrawn, notificationUpdated } from './notification.events.js';
import { type Notification } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { OUTSIDE_CHANNELS } from './notification.types.js';

/** A notification as it was and as it is to be. */
export interface Change {
  before: Notification;
  after: Notification;
}

/** Writes what becomes of notifications, counts it in the inboxes of their owners, and tells of it. */
export class InboxChanges {
  constructor(private readonly deps: { database: Database; outbox: Outbox; inboxes: Inboxes }) {}

  /**
   * Writes changes within the caller's transaction, in which they were read. What leaves the app is told before what
   * changes there, and that before what has arrived.
   * @param arrived new ones, which the caller writes and tells of: they are given their places
   * @returns how the inboxes stand that have changed
   */
  async publish(
    session: ClientSession,
    changes: readonly Change[],
    arrived: readonly Notification[] = [],
  ): Promise<Map<string, InboxState>> {
    const gone = changes.filter(({ before, after }) => before.channels.inApp && !after.channels.inApp);
    const shown = changes.filter(({ after }) => after.channels.inApp);
    const steps = [...[...gone, ...shown].map(stepOf), ...arrived.map(arrivalOf)];
    const { database, inboxes } = this.deps;
    const nothing = { positions: [], states: new Map<string, InboxState>() };
    const { positions, states } = steps.length > 0 ? await inboxes.count(session, steps) : nothing;
    const places = positions.values();
    for (const { after } of [...gone, ...shown]) after.position = places.next().value ?? null;
    for (const each of arrived) each.position = each.arrivedAt = places.next().value ?? null;
    if (changes.length === 0) return states;
    await database.collection<Notification>('notifications').bulkWrite(
      changes.map(({ after }) => ({ replaceOne: { filter: { _id: after._id }, replacement: after } })),
      { session, ordered: false },
    );
    await this.tellDeliveries(session, changes);
    await this.tellGone(session, gone, states);
    await this.deps.outbox.recordAll(
      session,
      notificationUpdated,
      shown.map(({ after }) => {
        const userId = after.userId.toHexString();
        return {
          entity: { kind: 'notification', id: after._id.toHexString() },
          audience: { userIds: [userId] },
          data: {
            notification: presentNotification(after),
            position: after.position ?? 0,
            unread: stateOf(states, userId).unread,
          },
        };
      }),
    );
    return states;
  }

  private async tellDeliveries(session: ClientSession, changes: readonly Change[]): Promise<void> {
    for (const channel of OUTSIDE_CHANNELS) {
      const changed = changes.flatMap(({ before, after }) => {
        const [was, status] = [before.channels[channel]?.status, after.channels[channel]?.status];
        return was && status && was !== status ? [{ notification: after, was, status }] : [];
      });
      await tellDeliveries(this.deps.outbox, session, channel, changed);
    }
  }

  /** Tells of notifications that are in their owners' lists no longer. */
  private async tellGone(
    session: ClientSession,
    gone: readonly Change[],
    states: ReadonlyMap<string, InboxState>,
  ): Promise<void> {
    const [first] = gone;
    if (!first) return;
    await this.deps.outbox.record(session, notificationsWithdrawn, {
      entity: { kind: 'notification', id: first.after._id.toHexString() },
      audience: { userIds: gone.map(({ after }) => after.userId.toHexString()) },
      data: {
        items: gone.map(({ after: { _id, userId, position } }) => ({
          notificationId: _id.toHexString(),
          userId: userId.toHexString(),
          position: position ?? 0,
          unread: stateOf(states, userId.toHexString()).unread,
        })),
      },
    });
  }
}

function stepOf({ before, after }: Change) {
  return { userId: after.userId, unread: unreadOf(after.channels.inApp) - unreadOf(before.channels.inApp) };
}

function arrivalOf({ userId, channels }: Notification) {
  return { userId, unread: unreadOf(channels.inApp) };
}

/** A copy that can be changed. */
export function copyOf(notification: Notification): Notification {
  return { ...notification, channels: { ...notification.channels } };
}

/** Sends to nobody what waits to be sent. */
export function stopWaiting(notification: Notification, reason: string): void {
  const { channels } = notification;
  for (const channel of OUTSIDE_CHANNELS) {
    const delivery = channels[channel];
    if (delivery && isWaiting(delivery)) {
      const { attempts, sentTo } = delivery;
      channels[channel] = { status: 'cancelled', attempts, reason, ...(sentTo && { sentTo }) };
    }
  }
}

/** Has decided again about what was not sent for one of these reasons. */
export function sendAfterAll(notification: Notification, reasons: readonly string[], now: Date): void {
  const { channels } = notification;
  for (const channel of OUTSIDE_CHANNELS) {
    const delivery = channels[channel];
    if (delivery?.status === 'cancelled' && reasons.includes(delivery.reason ?? '')) {
      channels[channel] = { ...delivery, status: 'pending', reason: 'DECIDE_AGAIN', nextAttemptAt: now };
    }
  }
}

export function isWaiting({ status }: Delivery): boolean {
  return status === 'pending' || status === 'failed';
}
