import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type UserService } from '../users/index.js';
import { type Change, copyOf, isWaiting, stopWaiting } from './inbox-changes.js';
import { type Notification } from './notification.model.js';
import { IN_APP_STATUSES, OUTSIDE_CHANNELS, UNREAD } from './notification.types.js';
import { groupTitleOf, type Templated, type TextFacts, textOf } from './texts.js';

/** Of those told as one, so many are named by their ids. */
const MOST_ACTORS = 3;
/** What is told with a newer one, which is sent instead. */
export const GROUPED = 'GROUPED';

/** What becomes of lines, and who showed them before, by their ids. */
export interface LinesLeft {
  changes: Change[];
  heads: ReadonlyMap<string, Notification>;
}

/**
 * Notifications of one user about the same that are told as one line: "A and 11 others". Each keeps its document; the
 * newest of a line shows it for all, with its own words and the number of all, and hands that on when a newer one comes
 * or it goes itself. What waits to be sent is sent once, with the newest. A line that is read takes nothing new in; one
 * that was deleted shows nothing, and its notifications stay where they are.
 *
 * Whatever changes a line also counts in its owner's inbox, in the same transaction: of two changes at once, the later
 * one starts again and sees what the first has done.
 */
export class Lines {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: { database: Database; clock: Clock; users: Pick<UserService, 'contacts'> }) {
    this.notifications = deps.database.collection('notifications');
  }

  /** Who shows these lines, by their ids. */
  async heads(session: ClientSession, lines: readonly ObjectId[]): Promise<Map<string, Notification>> {
    if (lines.length === 0) return new Map();
    const found = await this.notifications
      .find({ line: { $in: lines }, 'channels.inApp.status': { $in: IN_APP_STATUSES } }, { session })
      .toArray();
    return new Map(found.flatMap((head) => (head.line ? [[head.line.toHexString(), head] as const] : [])));
  }

  /** Puts new ones into the lines of theirs that are not read yet, or into new ones: what becomes of those of before. */
  async gather(session: ClientSession, fresh: readonly Notification[]): Promise<Change[]> {
    const groups = new Map<string, Notification[]>();
    for (const each of fresh) groups.set(groupOf(each), [...(groups.get(groupOf(each)) ?? []), each]);
    const open = await this.open(session, fresh);
    const changes: Change[] = [];
    const leading: Notification[] = [];
    for (const [key, members] of groups) {
      const head = open.get(key);
      const former = head && copyOf(head);
      if (head && former) changes.push({ before: head, after: former });
      const all = [...(former ? [former] : []), ...members].sort(newestFirst);
      const [newest] = all;
      if (!newest || all.length === 1) continue;
      const count = sumOf(members) + (head ? countOf(head) : 0);
      const actorIds = [...all.flatMap((each) => each.actorIds), ...(head ? actorsOf(head) : [])];
      const line = head?.line ?? members[0]?.line;
      for (const each of all) {
        if (line) each.line = line;
        if (each === newest) lead(each, count, actorIds);
        else follow(each);
      }
      if (head && former !== newest) waitAs(newest, head);
      leading.push(newest);
    }
    await this.retitle(leading);
    return changes;
  }

  /** What becomes of the lines that these are to leave, who are given as they were. */
  async without(session: ClientSession, leaving: readonly Notification[]): Promise<LinesLeft> {
    const byLine = new Map<string, Notification[]>();
    for (const each of leaving) {
      const key = each.line?.toHexString();
      if (key !== undefined) byLine.set(key, [...(byLine.get(key) ?? []), each]);
    }
    const heads = await this.heads(
      session,
      [...byLine.values()].flatMap(([first]) => first?.line ?? []),
    );
    const changes: Change[] = [];
    for (const [key, gone] of byLine) {
      const head = heads.get(key);
      if (!head) continue;
      const count = countOf(head) - sumOf(gone);
      if (count < 1) continue;
      const hasLeft = gone.some(({ _id }) => _id.equals(head._id));
      const isGone = (actorId: ObjectId) => gone.some(({ actorIds }) => actorIds.some((id) => id.equals(actorId)));
      const known = hasLeft ? [] : actorsOf(head).filter((id) => !isGone(id));
      const isShort = known.length < Math.min(count, MOST_ACTORS);
      const followers = isShort ? await this.newest(session, new ObjectId(key), gone) : [];
      const before = hasLeft ? followers[0] : head;
      if (!before) continue;
      const after = copyOf(before);
      if (hasLeft) this.succeed(after, head);
      lead(after, count, isShort ? [...after.actorIds, ...followers.flatMap(({ actorIds }) => actorIds)] : known);
      changes.push({ before, after });
    }
    await this.retitle(changes.map(({ after }) => after));
    return { changes, heads };
  }

  /**
   * Counts lines anew, of which something tells of less than before.
   * @param heads who shows them, as they were and as they are to be
   */
  async recount(session: ClientSession, heads: readonly Change[]): Promise<Change[]> {
    if (heads.length === 0) return [];
    const line = { $in: heads.flatMap(({ after }) => after.line ?? []) };
    const sums = await this.notifications
      .aggregate<{ _id: ObjectId; count: number }>(
        [
          { $match: { line, 'channels.inApp.status': null } },
          { $group: { _id: '$line', count: { $sum: { $ifNull: ['$occurrences', 1] } } } },
        ],
        { session },
      )
      .toArray();
    const others = new Map(sums.map(({ _id, count }) => [_id.toHexString(), count]));
    for (const { before, after } of heads) {
      lead(after, ownOf(after) + (others.get(after.line?.toHexString() ?? '') ?? 0), actorsOf(before));
    }
    await this.retitle(heads.map(({ after }) => after));
    return [...heads];
  }

  /**
   * Takes these back into their lines. They are given as they are to be, with the state in the app that they had when
   * they left: where nobody else is there any more they show it again, or join those that are not read yet.
   * @returns these and whatever else changes
   */
  async rejoin(session: ClientSession, returning: readonly Change[]): Promise<Change[]> {
    const heads = await this.heads(
      session,
      returning.flatMap(({ after }) => after.line ?? []),
    );
    const changes = new Map(returning.map((change) => [change.after._id.toHexString(), change]));
    const current = new Map<string, Notification>();
    for (const { after } of returning) {
      if (!after.line) continue;
      const line = after.line.toHexString();
      const found = current.get(line) ?? heads.get(line) ?? (await this.instead(session, after, after.line));
      if (found === 'nobody') continue;
      if (!found) {
        current.set(line, after);
        continue;
      }
      const key = found.line?.toHexString() ?? line;
      const head = current.get(key) ?? copyOf(found);
      if (!current.has(key)) changes.set(head._id.toHexString(), { before: found, after: head });
      if (head.line) after.line = head.line;
      const [newest, other] = newestFirst(head, after) < 0 ? [head, after] : [after, head];
      const count = countOf(head) + ownOf(after);
      const actorIds = [...newest.actorIds, ...actorsOf(head), ...after.actorIds];
      if (newest === after && head.channels.inApp) after.channels.inApp = head.channels.inApp;
      follow(other);
      lead(newest, count, actorIds);
      current.set(key, newest);
    }
    await this.retitle([...current.values()]);
    return [...changes.values()];
  }

  /** Who shows it where its own line shows nothing: a line that is not read yet, `nobody`, or it stands by itself. */
  private async instead(
    session: ClientSession,
    after: Notification,
    line: ObjectId,
  ): Promise<Notification | 'nobody' | undefined> {
    if (await this.notifications.findOne({ line }, { session, projection: { _id: 1 } })) {
      follow(after);
      return 'nobody';
    }
    const { inApp } = after.channels;
    if (!inApp || !UNREAD.includes(inApp.status)) return undefined;
    return (await this.open(session, [after])).get(groupOf(after));
  }

  /** The lines that are not read yet, by their owners and groups. */
  private async open(session: ClientSession, of: readonly Notification[]): Promise<Map<string, Notification>> {
    const groups = new Map(of.map((each) => [groupOf(each), each]));
    if (groups.size === 0) return new Map();
    const found = await this.notifications
      .find(
        {
          $or: [...groups.values()].map(({ userId, groupKey }) => ({
            ...{ userId, groupKey, line: { $exists: true } },
            'channels.inApp.status': { $in: UNREAD },
          })),
        },
        { session },
      )
      .toArray();
    return new Map(found.map((each) => [groupOf(each), each]));
  }

  /** The newest few that are left, but for who shows the line. */
  private newest(session: ClientSession, line: ObjectId, gone: readonly Notification[]): Promise<Notification[]> {
    return this.notifications
      .find({ line, 'channels.inApp.status': null, _id: { $nin: gone.map(({ _id }) => _id) } }, { session })
      .sort({ _id: -1 })
      .limit(MOST_ACTORS)
      .toArray();
  }

  /** It shows the line instead of who did; what that one has told nobody yet, it tells. */
  private succeed(after: Notification, head: Notification): void {
    if (head.channels.inApp) after.channels.inApp = head.channels.inApp;
    if (head.unreadIn) after.unreadIn = head.unreadIn;
    for (const channel of OUTSIDE_CHANNELS) {
      const [delivery, former] = [after.channels[channel], head.channels[channel]];
      if (delivery?.reason !== GROUPED || !former || !isWaiting(former)) continue;
      const nextAttemptAt = this.deps.clock.now();
      after.channels[channel] = { ...delivery, status: 'pending', reason: 'DECIDE_AGAIN', nextAttemptAt };
    }
  }

  /** In the words for as many as they stand for, with the names of now. */
  private async retitle(leading: readonly Notification[]): Promise<void> {
    if (leading.length === 0) return;
    const actors = leading.flatMap(({ actorIds }) => actorIds.map((id) => id.toHexString()));
    const contacts = await this.deps.users.contacts(actors);
    for (const each of leading) {
      const actor = contacts.get(each.actorIds[0]?.toHexString() ?? '')?.name;
      if (actor === undefined) continue;
      const [type, others] = [each.type as Templated, countOf(each) - 1];
      const facts = { ...(each.data as Omit<TextFacts, 'actor'>), actor };
      each.title =
        others > 0 ? groupTitleOf(type, each.locale, actor, others, facts) : textOf(type, each.locale, facts).title;
    }
  }
}

function groupOf({ userId, groupKey }: Notification): string {
  return `${userId.toHexString()} ${groupKey}`;
}

function newestFirst(one: Notification, other: Notification): number {
  return other._id.toHexString() < one._id.toHexString() ? -1 : 1;
}

/** How many it tells of by itself. */
function ownOf({ occurrences }: Notification): number {
  return occurrences ?? 1;
}

function sumOf(several: readonly Notification[]): number {
  return several.reduce((sum, each) => sum + ownOf(each), 0);
}

/** How many it tells of, with those that it stands for. */
function countOf(notification: Notification): number {
  return notification.group?.count ?? ownOf(notification);
}

/** Whoever was to be mailed of the line is not left waiting by what has joined it since. */
function waitAs(newest: Notification, head: Notification): void {
  const [email, former] = [newest.channels.email, head.channels.email];
  if (!newest.unreadSince || !head.unreadSince || !former || !isWaiting(former)) return;
  if (email?.reason === 'UNREAD_DELAY' && email.nextAttemptAt) {
    const earlierBy = newest.unreadSince.getTime() - head.unreadSince.getTime();
    newest.channels.email = { ...email, nextAttemptAt: later(email.nextAttemptAt, -earlierBy) };
  }
  newest.unreadSince = head.unreadSince;
}

/** The newest few of those it stands for. */
function actorsOf({ group, actorIds }: Notification): ObjectId[] {
  return group?.actorIds ?? actorIds;
}

function lead(notification: Notification, count: number, actorIds: readonly ObjectId[]): void {
  const unique = [...new Map(actorIds.map((id) => [id.toHexString(), id])).values()];
  if (count > 1) notification.group = { count, actorIds: unique.slice(0, MOST_ACTORS) };
  else delete notification.group;
}

function follow(notification: Notification): void {
  delete notification.channels.inApp;
  delete notification.group;
  delete notification.unreadIn;
  stopWaiting(notification, GROUPED);
}
