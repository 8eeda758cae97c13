import { type ClientSession, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Missed } from '../../core/realtime/event-stream.js';
import { type Inbox } from './inbox.model.js';
import { type Inboxes } from './inboxes.js';
import { type Notification } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { since as sinceMoment, type Standing, standingNow } from './positions.js';

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
  /** Of the others, those whose deliveries have changed, in the order in which that was told. */
  delivered: Notification[];
  /** Where to go on from. */
  standing: Standing;
  hasMore: boolean;
}

/** Tells those who were not connected what they would have heard. */
export class ChangesService {
  constructor(private readonly deps: { database: Database; inboxes: Inboxes; clock: Clock }) {}

  /** How someone stands who has heard of everything up to now. */
  async latest(userId: string): Promise<Standing> {
    const now = standingNow(0, this.deps.clock);
    return { ...now, position: (await this.deps.inboxes.read(userId)).position };
  }

  /**
   * What has changed since then, at most so many notifications: what was done to them first, then what became of their
   * deliveries.
   * @returns `undefined` where that cannot be told: the position is none of the user's, or too old
   */
  async since(userId: string, standing: Standing, limit: number): Promise<Changes | undefined> {
    // From before the look on: what changes meanwhile is found the next time.
    const next = standing.next ?? sinceMoment(this.deps.clock.now());
    // In one transaction, so that the inbox and its notifications are of the same moment.
    return this.deps.database.inTransaction(async (session) => {
      const inbox = await this.deps.inboxes.read(userId, session);
      if (!isKnown(inbox, standing.position)) return undefined;
      const changed = await this.find(
        session,
        { userId: new ObjectId(userId), position: { $gt: standing.position } },
        { position: 1 },
        limit,
      );
      const changes = changesOf(inbox, changed, standing, limit);
      if (changes.hasMore) return changes;
      const room = limit - changed.length;
      const told = await this.find(session, toldSince(userId, standing), { toldAt: 1, _id: 1 }, room);
      return withDelivered(changes, told, room, next);
    });
  }

  /** One more than the limit, so that it shows whether there are more. */
  private find(
    session: ClientSession,
    filter: Filter<Notification>,
    sort: Record<string, 1>,
    limit: number,
  ): Promise<Notification[]> {
    return this.deps.database
      .collection<Notification>('notifications')
      .find(filter, { session })
      .sort(sort)
      .limit(limit + 1)
      .toArray();
  }

  /** The same as messages for one who comes back, or the advice to fetch everything anew. */
  async missed(userId: string, since: Standing | undefined): Promise<Missed> {
    const now = standingNow(0, this.deps.clock);
    if (since === undefined) {
      const { position } = await this.latest(userId);
      return { messages: [], position, since: now.told.at };
    }
    const changes = await this.since(userId, since, MOST_MISSED);
    if (changes && !changes.hasMore) {
      const { position, told } = changes.standing;
      return { messages: messagesOf(changes, since), position, since: told.at };
    }
    const { unread, position } = await this.deps.inboxes.read(userId);
    const messages = [
      { event: 'resync', payload: {} },
      { event: 'unread-count', payload: { count: unread }, position, since: now.told.at },
    ];
    return { messages, position, since: now.told.at };
  }
}

/** Those of which it was told later how their deliveries stand. */
function toldSince(userId: string, { told: { at, id } }: Standing): Filter<Notification> {
  const later: Filter<Notification> = { toldAt: { $gt: at } };
  return {
    userId: new ObjectId(userId),
    'channels.inApp': { $exists: true },
    ...(id === undefined ? later : { $or: [{ toldAt: at, _id: { $gt: new ObjectId(id) } }, later] }),
  };
}

function withDelivered(changes: Changes, told: readonly Notification[], room: number, next: Date): Changes {
  const page = told.slice(0, room);
  const known = new Set(changes.notifications.map(({ notification }) => notification._id.toHexString()));
  const delivered = page.filter(({ _id }) => !known.has(_id.toHexString()));
  const { position } = changes.standing;
  if (told.length <= room) return { ...changes, delivered, standing: { position, told: { at: next } } };
  const last = page.at(-1);
  // Where there is no room at all, the deliveries begin with the next page.
  const middle = last?.toldAt ? { told: { at: last.toldAt, id: last._id.toHexString() }, next } : changes.standing;
  return { ...changes, delivered, hasMore: true, standing: { ...middle, position } };
}

function isKnown({ position, gap = 0 }: Inbox, since: number): boolean {
  return since >= gap && since <= position;
}

function changesOf(inbox: Inbox, changed: readonly Notification[], from: Standing, limit: number): Changes {
  const since = from.position;
  const page = changed.slice(0, limit);
  const hasMore = changed.length > limit;
  const changes: Changes = {
    notifications: [],
    withdrawn: [],
    unread: inbox.unread,
    ...(inbox.readAll && inbox.readAll.position > since && { readUpTo: inbox.readAll.upTo.toHexString() }),
    delivered: [],
    standing: { ...from, position: hasMore ? (page.at(-1)?.position ?? since) : inbox.position },
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
 * that everything was read, since they say how they stand after that. Only the last one says that the deliveries, which
 * have no positions, were told as well.
 */
function messagesOf(
  { notifications, delivered, withdrawn, unread, readUpTo, standing }: Changes,
  { told: { at: since } }: Standing,
): Missed['messages'] {
  const changed = [
    ...notifications.map(({ notification, position, isNew }) => ({
      event: isNew ? 'notification:new' : 'notification:updated',
      payload: presentNotification(notification),
      position,
      since,
    })),
    ...withdrawn.map(({ id, position }) => ({ event: 'notification:withdrawn', payload: { id }, position, since })),
  ].sort((a, b) => a.position - b.position);
  const count = { count: unread };
  return [
    ...(readUpTo === undefined ? [] : [{ event: 'unread-count', payload: { ...count, readUpTo } }]),
    ...delivered.map((notification) => ({
      event: 'notification:updated',
      payload: presentNotification(notification),
    })),
    ...changed,
    { event: 'unread-count', payload: count, position: standing.position, since: standing.told.at },
  ];
}
