import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Change, copyOf, type InboxChanges, sendAfterAll, stopWaiting } from './inbox-changes.js';
import { type Lines } from './lines.js';
import { type Notification } from './notification.model.js';

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

  constructor(private readonly deps: { database: Database; clock: Clock; lines: Lines; changes: InboxChanges }) {
    this.notifications = deps.database.collection('notifications');
  }

  /** Takes back what was told of these. */
  async withdraw(session: ClientSession, withdrawals: readonly Withdrawal[]): Promise<void> {
    const found = await this.find(session, withdrawals, false);
    await this.takeBack(
      session,
      found.map(({ notification, cause: { eventId } }) => ({ notification, eventId })),
    );
  }

  /**
   * Takes these out of the app, on every device, and cancels what has not been sent. What is being sent is left to its
   * worker, which gives it up before a second attempt. Of a line the others stay, in the words for those that are left.
   */
  async takeBack(
    session: ClientSession,
    taken: readonly { notification: Notification; eventId: ObjectId }[],
  ): Promise<void> {
    if (taken.length === 0) return;
    const { changes, heads } = await this.deps.lines.without(
      session,
      taken.map(({ notification }) => notification),
    );
    const withdrawn = taken.map(({ notification: before, eventId }): Change => {
      const { channels, withheld } = before;
      const line = before.line ?? before.withheldLine;
      const inApp = channels.inApp ?? withheld ?? heads.get(line?.toHexString() ?? '')?.channels.inApp;
      const { withheld: _, withheldLine: __, line: ___, group: ____, ...after } = copyOf(before);
      delete after.channels.inApp;
      stopWaiting(after, UNDONE);
      after.withdrawn = { ...(inApp && { inApp }), ...(line && { line }) };
      after.eventIds = remembering(before, eventId);
      return { before, after };
    });
    await this.deps.changes.publish(session, [...withdrawn, ...changes]);
  }

  /**
   * Shows these again as they were, and has decided again about what had been cancelled before it was sent. It is told
   * as a change and not as new: whoever takes something back and does it again should not call twice.
   */
  async bringBack(session: ClientSession, returns: readonly Return[]): Promise<void> {
    const now = this.deps.clock.now();
    const returned = (await this.find(session, returns, true)).map(({ notification: before, cause }): Change => {
      const { withdrawn, ...after } = copyOf(before);
      const { title, body, data } = cause;
      Object.assign(after, { title, body, data, eventIds: remembering(before, cause.eventId) });
      if (withdrawn?.inApp) after.channels.inApp = withdrawn.inApp;
      if (withdrawn?.line) after.line = withdrawn.line;
      sendAfterAll(after, [UNDONE], now);
      return { before, after };
    });
    if (returned.length === 0) return;
    await this.deps.changes.publish(session, await this.deps.lines.rejoin(session, returned));
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

function remembering({ eventIds }: Notification, eventId: ObjectId): ObjectId[] {
  return [...(eventIds ?? []), eventId].slice(-EVENTS_REMEMBERED);
}
