import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Missed } from '../../core/realtime/event-stream.js';
import { type Inbox } from './inbox.model.js';
import { type Inboxes } from './inboxes.js';
import { type Notification } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';

/** More than this a client that was away has not missed: it fetches the list anew instead. */
const MOST_MISSED = 200;

/** What has become of a user's notifications since a position, each as it is now. */
export interface Changes {
  /** New ones and changed ones, in the order of their last changes. */
  notifications: { notification: Notification; position: number; isNew: boolean }[];
  /** Those that are in the list no longer. */
  withdrawn: { id: string; position: number }[];
  unread: number;
  /** Everything up to this one was read; those above tell how they stand after it. */
  readUpTo?: string;
  /** Where to go on from. */
  position: number;
  hasMore: boolean;
}

/** Tells those who were not connected what they would have heard. */
export class ChangesService {
  constructor(private readonly deps: { database: Database; inboxes: Inboxes }) {}

  /** Where the user's changes stand now. */
  async position(userId: string): Promise<number> {
    return (await this.deps.inboxes.read(userId)).position;
  }

  /**
   * What has changed since a position, at most so many notifications.
   * @returns `undefined` where that cannot be told: the position is none of the user's, or too old
   */
  async since(userId: string, since: number, limit: number): Promise<Changes | undefined> {
    // In one transaction, so that the inbox and its notifications are of the same moment.
    return this.deps.database.inTransaction(async (session) => {
      const inbox = await this.deps.inboxes.read(userId, session);
      if (!isKnown(inbox, since)) return undefined;
      const changed = await this.deps.database
        .collection<Notification>('notifications')
        .find({ userId: new ObjectId(userId), position: { $gt: since } }, { session })
        .sort({ position: 1 })
        .limit(limit + 1)
        .toArray();
      return changesOf(inbox, changed, since, limit);
    });
  }

  /** The same as messages for one who comes back, or the advice to fetch everything anew. */
  async missed(userId: string, since: number | undefined): Promise<Missed> {
    if (since === undefined) return { messages: [], position: await this.position(userId) };
    const changes = await this.since(userId, since, MOST_MISSED);
    if (changes && !changes.hasMore) return { messages: messagesOf(changes), position: changes.position };
    const { unread, position } = await this.deps.inboxes.read(userId);
    const messages = [
      { event: 'resync', payload: {} },
      { event: 'unread-count', payload: { count: unread }, position },
    ];
    return { messages, position };
  }
}

function isKnown({ position, gap = 0 }: Inbox, since: number): boolean {
  return since >= gap && since <= position;
}

function changesOf(inbox: Inbox, changed: readonly Notification[], since: number, limit: number): Changes {
  const page = changed.slice(0, limit);
  const hasMore = changed.length > limit;
  const changes: Changes = {
    notifications: [],
    withdrawn: [],
    unread: inbox.unread,
    ...(inbox.readAll && inbox.readAll.position > since && { readUpTo: inbox.readAll.upTo.toHexString() }),
    position: hasMore ? (page.at(-1)?.position ?? since) : inbox.position,
    hasMore,
  };
  for (const notification of page) {
    const { arrivedAt, channels } = notification;
    const position = notification.position ?? since;
    const isNew = (arrivedAt ?? 0) > since;
    if (channels.inApp) changes.notifications.push({ notification, position, isNew });
    // What has come and gone meanwhile was never there.
    else if (!isNew) changes.withdrawn.push({ id: notification._id.toHexString(), position });
  }
  return changes;
}

/**
 * In the order of their positions, so that one who is cut off again in the middle goes on from there; before all of them
 * that everything was read, since they say how they stand after that.
 */
function messagesOf({ notifications, withdrawn, unread, readUpTo, position: last }: Changes): Missed['messages'] {
  const changed = [
    ...notifications.map(({ notification, position, isNew }) => ({
      event: isNew ? 'notification:new' : 'notification:updated',
      payload: presentNotification(notification),
      position,
    })),
    ...withdrawn.map(({ id, position }) => ({ event: 'notification:withdrawn', payload: { id }, position })),
  ].sort((a, b) => a.position - b.position);
  const count = { count: unread };
  return [
    ...(readUpTo === undefined ? [] : [{ event: 'unread-count', payload: { ...count, readUpTo } }]),
    ...changed,
    { event: 'unread-count', payload: count, position: last },
  ];
}
