import { type ClientSession, type Collection } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Step } from '../../../core/jobs/step-worker.js';
import { type Onlookers, type Unread, type UnreadMember } from '../../chat/index.js';
import { type NotificationWriter } from '../notification.writer.js';
import { mentionDraft, newsDraft, type Place } from './drafts.js';
import { MOST_LOOKED_AT, type NewsRuleDeps, newsRules } from './news-rules.js';
import { type MessageNews, messageNewsCollection } from './news.model.js';

/** Members of one transaction. */
const PAGE = 200;

export interface TellingDeps extends NewsRuleDeps {
  database: Database;
  unread: Unread;
  onlookers: Pick<Onlookers, 'among'>;
  writer: Pick<NotificationWriter, 'write'>;
}

/**
 * Tells members of a conversation what they have not read, unless they have it on the screen at this moment: a
 * notification for each message that names them, whether they have muted the conversation or not, and one for all the
 * others that each has not been told of, which joins the line of those that are not read yet.
 */
export class Telling {
  private readonly rows: Collection<MessageNews>;

  constructor(private readonly deps: TellingDeps) {
    this.rows = deps.database.collection(messageNewsCollection.name);
  }

  async step(session: ClientSession, { _id }: MessageNews): Promise<Step<MessageNews>> {
    // As it is now: something more may have been said since it was claimed.
    const row = await this.rows.findOne({ _id }, { session });
    if (!row) return 'done';
    const { conversationId, seq, after, mentioned: evenMuted } = row;
    const { unread, onlookers } = this.deps;
    const members = await unread.members(session, conversationId, seq, { after, evenMuted, limit: PAGE });
    if (members.length === 0) return 'done';
    const last = members.length === PAGE ? members.at(-1) : undefined;
    const isLooking = await onlookers.among(members.map(({ userId }) => ({ conversationId, userId })));
    const away = members.filter(({ userId }) => !isLooking(conversationId, userId));
    const isMany = last !== undefined || after !== undefined;
    if (away.length > 0) await this.tell(session, { conversationId, seq, isMany }, away);
    // What is said from now on is told with the next one.
    return last ? { $set: { after: last.userId }, $unset: { isOpen: 1 } } : 'done';
  }

  private async tell(
    session: ClientSession,
    upTo: Pick<Place, 'conversationId'> & { seq: number; isMany: boolean },
    away: UnreadMember[],
  ): Promise<void> {
    const { unread, writer } = this.deps;
    const { conversationId, seq } = upTo;
    const chat = await chatOf(session, unread, conversationId);
    const said = await unread.said(session, conversationId, seq, MOST_LOOKED_AT);
    const rules = await newsRules(session, this.deps, conversationId, said, away);
    const told = away.flatMap((member) => {
      const news = member.isMuted ? undefined : rules.news(member);
      const drafts = [
        ...(news ? [newsDraft({ ...upTo, chat }, member, news)] : []),
        ...rules.mentions(member).map((message) => mentionDraft({ conversationId, chat }, member, message)),
      ];
      return drafts.length > 0 ? [{ member, drafts }] : [];
    });
    if (told.length === 0) return;
    await unread.told(
      session,
      told.map(({ member }) => member.membershipId),
      seq,
    );
    await writer.write(
      session,
      told.flatMap(({ drafts }) => drafts),
    );
  }
}

/** What is said of where it was: of a group its title, which is empty where it has none. */
export async function chatOf(
  session: ClientSession,
  unread: Pick<Unread, 'conversation'>,
  conversationId: Place['conversationId'],
): Promise<Place['chat']> {
  const conversation = await unread.conversation(session, conversationId);
  return conversation?.type === 'group' ? { group: conversation.title ?? '' } : undefined;
}
