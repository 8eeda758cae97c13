import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Step } from '../../../core/jobs/step-worker.js';
import { type Unread } from '../../chat/index.js';
import { type Change, copyOf, type InboxChanges } from '../inbox-changes.js';
import { type Lines } from '../lines.js';
import { type Notification } from '../notification.model.js';
import { type Withdrawals } from '../withdrawals.js';
import { type MessageFacts, type MessageNews } from './news.model.js';
import { MOST_LOOKED_AT, type News, type NewsRuleDeps, type NewsRules, newsRules } from './news-rules.js';

/** Notifications of one transaction. */
const PAGE = 200;

export interface RetractionDeps extends NewsRuleDeps {
  database: Database;
  unread: Unread;
  lines: Lines;
  changes: InboxChanges;
  withdrawals: Withdrawals;
}

/** A message that is there no longer, and the event that says so. */
export interface Retracted {
  conversationId: ObjectId;
  seq: number;
  eventId: ObjectId;
}

/**
 * Takes a message that was deleted out of what was told of it and was not read: who was told of nothing else is told of
 * nothing, and of the others its words go. What they are told of is counted anew, so that twice is once.
 */
export class Retraction {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: RetractionDeps) {
    this.notifications = deps.database.collection('notifications');
  }

  async step(session: ClientSession, news: MessageNews): Promise<Step<MessageNews>> {
    const { _id: eventId, conversationId, seq, after } = news;
    const page = await this.notifications
      .find({ unreadIn: conversationId, ...(after && { _id: { $gt: after } }) }, { session })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray();
    await this.takeOut(session, { conversationId, seq, eventId }, page);
    const last = page.at(-1);
    return !last || page.length < PAGE ? 'done' : { $set: { after: last._id } };
  }

  /**
   * Takes it out of what these users were told and have not read: they have deleted it for themselves, or are told of it
   * by itself from now on.
   * @returns what told of it, as it was
   */
  async forSome(session: ClientSession, retracted: Retracted, userIds: readonly ObjectId[]): Promise<Notification[]> {
    const theirs = { unreadIn: retracted.conversationId, userId: { $in: userIds } };
    return this.takeOut(session, retracted, await this.notifications.find(theirs, { session }).toArray());
  }

  /** @param shown those that show lines, or stand by themselves */
  private async takeOut(
    session: ClientSession,
    { conversationId, seq, eventId }: Retracted,
    shown: readonly Notification[],
  ): Promise<Notification[]> {
    const covering = [...shown.filter((each) => covers(each, seq)), ...(await this.inLines(session, shown, seq))];
    const taken: Notification[] = [];
    const heads = new Map<string, Change>();
    const followers: Change[] = [];
    for (const [told, news] of await this.recounted(session, conversationId, covering)) {
      const after = news && lessThan(told, news);
      const head = shown.find(({ _id, line }) => _id.equals(told._id) || (line && told.line?.equals(line)));
      if (!news) taken.push(told);
      else if (after && head === told) heads.set(told._id.toHexString(), { before: told, after });
      else if (after && head) {
        followers.push({ before: told, after });
        heads.set(head._id.toHexString(), { before: head, after: copyOf(head) });
      }
    }
    await this.deps.changes.publish(session, followers);
    await this.deps.changes.publish(session, await this.deps.lines.recount(session, [...heads.values()]));
    await this.deps.withdrawals.takeBack(
      session,
      taken.map((notification) => ({ notification, eventId })),
    );
    return covering;
  }

  /** Those that are told with these and tell of what was said at this place. */
  private async inLines(session: ClientSession, shown: readonly Notification[], seq: number): Promise<Notification[]> {
    const lines = shown.flatMap(({ line, channels }) => (line && channels.inApp ? [line] : []));
    if (lines.length === 0) return [];
    return this.notifications
      .find(
        {
          ...{ line: { $in: lines }, 'channels.inApp.status': null },
          ...{ 'data.fromSeq': { $lte: seq }, 'data.seq': { $gte: seq } },
        },
        { session },
      )
      .toArray();
  }

  /** What each of these tells of as it is now, if anything. */
  private async recounted(
    session: ClientSession,
    conversationId: ObjectId,
    covering: readonly Notification[],
  ): Promise<Map<Notification, News | undefined>> {
    const places = new Set(covering.map((each) => factsOf(each).seq));
    const recounted = new Map<Notification, News | undefined>();
    for (const place of places) {
      const said = await this.deps.unread.said(session, conversationId, place, MOST_LOOKED_AT);
      const told = covering.filter((each) => factsOf(each).seq === place);
      const rules = await newsRules(session, this.deps, conversationId, said, told.map(listenerOf));
      for (const each of told) recounted.set(each, newsOf(each, rules));
    }
    return recounted;
  }
}

function factsOf({ data }: Notification): MessageFacts {
  return data as MessageFacts;
}

function covers(notification: Notification, seq: number): boolean {
  const { fromSeq, seq: last } = factsOf(notification);
  const { withdrawn, deletedAt } = notification;
  return fromSeq <= seq && seq <= last && !withdrawn && !deletedAt;
}

/** Of a mention the one message that it tells of, as long as that names its recipient. */
function newsOf(told: Notification, rules: NewsRules): News | undefined {
  const listener = listenerOf(told);
  if (told.type !== 'MENTION') return rules.news(listener);
  const [newest] = rules.mentions(listener).filter(({ seq }) => seq === factsOf(told).seq);
  return newest && { newest, count: 1 };
}

function listenerOf(notification: Notification) {
  return { userId: notification.userId, knownSeq: factsOf(notification).fromSeq - 1 };
}

/** As it is to be where it tells of less than before; absent where nothing changes. */
function lessThan(told: Notification, { newest, count }: News): Notification | undefined {
  const facts = factsOf(told);
  const occurrences = Math.min(told.occurrences ?? 1, count);
  const { attached, ...rest } = facts;
  const isQuoted = facts.messageId === newest._id.toHexString() || (facts.excerpt === '' && !attached);
  if (isQuoted && occurrences === (told.occurrences ?? 1)) return undefined;
  const after = copyOf(told);
  if (!isQuoted) Object.assign(after, { body: '', data: { ...rest, excerpt: '' } });
  return Object.assign(after, { occurrences });
}
