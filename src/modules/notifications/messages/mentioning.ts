import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Step } from '../../../core/jobs/step-worker.js';
import { type Onlookers, type SaidMessage, type Unread } from '../../chat/index.js';
import { type Notification } from '../notification.model.js';
import { type Channel, CHANNELS, OUTSIDE_CHANNELS } from '../notification.types.js';
import { type NotificationWriter } from '../notification.writer.js';
import { type Withdrawals } from '../withdrawals.js';
import { mentionDraft, mentionKey } from './drafts.js';
import { type NewsRuleDeps, newsRules } from './news-rules.js';
import { type MessageNews, messageNewsCollection } from './news.model.js';
import { type Retraction } from './retraction.js';
import { chatOf } from './telling.js';

export interface MentioningDeps extends NewsRuleDeps {
  database: Database;
  unread: Unread;
  onlookers: Pick<Onlookers, 'among'>;
  writer: Pick<NotificationWriter, 'write'>;
  withdrawals: Withdrawals;
  retraction: Retraction;
}

/**
 * Tells those whom a message names since it was edited, and takes back what those were told whom it names no longer.
 * What counts is whom it names now and not which edit said so, so that any order ends well.
 */
export class Mentioning {
  private readonly rows: Collection<MessageNews>;
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: MentioningDeps) {
    this.rows = deps.database.collection(messageNewsCollection.name);
    this.notifications = deps.database.collection('notifications');
  }

  async step(session: ClientSession, { _id }: MessageNews): Promise<Step<MessageNews>> {
    // As it is now: it may have been edited again since it was claimed.
    const row = await this.rows.findOne({ _id }, { session });
    if (!row) return 'done';
    const { mentioned = [], eventId = row._id } = row;
    const message = await this.deps.unread.message(session, row._id);
    const isNamed = (userId: ObjectId): boolean => message?.mentions?.some((id) => id.equals(userId)) ?? false;
    await this.takeBack(
      session,
      { messageId: row._id, eventId },
      mentioned.filter((userId) => !isNamed(userId)),
    );
    if (message) await this.tell(session, { ...row, eventId }, message, mentioned.filter(isNamed));
    return 'done';
  }

  private async takeBack(
    session: ClientSession,
    { messageId, eventId }: { messageId: ObjectId; eventId: ObjectId },
    userIds: ObjectId[],
  ): Promise<void> {
    if (userIds.length === 0) return;
    const dedupeKey = mentionKey(messageId.toHexString());
    const told = await this.notifications
      .find({ userId: { $in: userIds }, dedupeKey, withdrawn: { $exists: false } }, { session })
      .toArray();
    await this.deps.withdrawals.takeBack(
      session,
      told.map((notification) => ({ notification, eventId })),
    );
  }

  /** Also whoever has read it: it said something else then. */
  private async tell(
    session: ClientSession,
    { conversationId, seq, eventId }: Pick<MessageNews, 'conversationId' | 'seq'> & { eventId: ObjectId },
    message: SaidMessage,
    userIds: ObjectId[],
  ): Promise<void> {
    if (userIds.length === 0) return;
    const { unread, onlookers, retraction, writer } = this.deps;
    const members = await unread.present(session, conversationId, seq, userIds);
    const isLooking = await onlookers.among(members.map(({ userId }) => ({ conversationId, userId })));
    const away = members.filter(({ userId }) => !isLooking(conversationId, userId));
    if (away.length === 0) return;
    const listeners = away.map(({ userId }) => ({ userId, knownSeq: seq - 1 }));
    const rules = await newsRules(session, this.deps, conversationId, [message], listeners);
    const told = away.flatMap((member) =>
      rules.mentions({ ...member, knownSeq: seq - 1 }).map((heard) => ({ member, heard })),
    );
    if (told.length === 0) return;
    const chat = await chatOf(session, unread, conversationId);
    const toldIds = told.map(({ member }) => member.userId);
    const former = await retraction.forSome(session, { conversationId, seq, eventId }, toldIds);
    await unread.named(
      session,
      told.map(({ member }) => member.membershipId),
    );
    await writer.write(
      session,
      told.map(({ member, heard }) => ({
        ...mentionDraft({ conversationId, chat }, member, heard),
        eventId,
        channels: channelsBeside(former.filter(({ userId }) => userId.equals(member.userId))),
      })),
    );
  }
}

/** Where the same message has not called already, among others and before it named anybody. */
function channelsBeside(former: readonly Notification[]): Channel[] {
  const hasCalled = (channel: Channel): boolean =>
    OUTSIDE_CHANNELS.some(
      (outside) =>
        outside === channel &&
        former.some(({ channels }) => ['sending', 'sent', 'delivered'].includes(channels[outside]?.status ?? '')),
    );
  return CHANNELS.filter((channel) => !hasCalled(channel));
}
