import { type ClientSession, type ObjectId } from 'mongodb';
import { type Visibility } from '../../../core/visibility.js';
import { type SaidMessage, type Unread } from '../../chat/index.js';
import { type UserService } from '../../users/index.js';

/** So many of the newest messages are looked at one by one; those further back are counted by their places. */
export const MOST_LOOKED_AT = 200;
/** Of those further back so many that name somebody: who is named more often in a few seconds is told of the newest. */
const MOST_NAMING = 1_000;

/** A member, and up to where they know what was said. */
export interface Listener {
  userId: ObjectId;
  knownSeq: number;
}

/** Something that was said, by someone who is there. */
export type Heard = SaidMessage & { senderId: ObjectId };

/** What is news to a member: the newest message, and how many there are. */
export interface News {
  newest: Heard;
  count: number;
}

export interface NewsRules {
  /** What is news to them, but for what names them. */
  news: (listener: Listener) => News | undefined;
  /** What names them, the newest first. */
  mentions: (listener: Listener) => Heard[];
}

export interface NewsRuleDeps {
  unread: Pick<Unread, 'hiddenBy' | 'naming'>;
  visibility: Pick<Visibility, 'hiddenPairs'>;
  users: Pick<UserService, 'contacts'>;
}

/**
 * What of the newest messages is news to whom. Not what was deleted, for everyone or by them for themselves, what they
 * said themselves, and what someone has said whom they must not hear of, or who is there no longer.
 *
 * A message that names a member is a mention to them, told by itself, and none of the messages that are told as one: so
 * nobody is called twice by the same words, and what was said to them is not lost among what was said to all. What is
 * what follows from the messages as they are, so that it is counted alike whenever it is counted again.
 * @param said the newest messages up to a place, the newest first, at most `MOST_LOOKED_AT`
 */
export async function newsRules(
  session: ClientSession,
  { unread, visibility, users }: NewsRuleDeps,
  conversationId: ObjectId,
  said: readonly SaidMessage[],
  listeners: readonly Listener[],
): Promise<NewsRules> {
  const oldest = said.at(-1)?.seq ?? 1;
  const userIds = listeners.map(({ userId }) => userId);
  const after = Math.min(...listeners.map(({ knownSeq }) => knownSeq));
  const isAllLookedAt = after >= oldest - 1;
  const between = { after, before: oldest, limit: MOST_NAMING };
  const further = isAllLookedAt ? [] : await unread.naming(session, conversationId, userIds, between);
  const senders = [...new Set([...said, ...further].flatMap(({ senderId }) => senderId?.toHexString() ?? []))];
  const [isHidden, apart, contacts] = await Promise.all([
    unread.hiddenBy(session, conversationId, userIds, further.at(-1)?.seq ?? oldest),
    visibility.hiddenPairs(
      senders,
      userIds.map((id) => id.toHexString()),
    ),
    users.contacts(senders),
  ]);
  const isHeard = (message: SaidMessage, { userId, knownSeq }: Listener): message is Heard => {
    const { _id, seq, senderId, deletedAt } = message;
    if (seq <= knownSeq || deletedAt || !senderId || senderId.equals(userId)) return false;
    const sender = senderId.toHexString();
    return contacts.has(sender) && !apart(sender, userId.toHexString()) && !isHidden(userId, _id);
  };
  const heardBy = (listener: Listener, messages: readonly SaidMessage[], naming: boolean): Heard[] =>
    messages.filter(
      (message): message is Heard => isHeard(message, listener) && names(message, listener.userId) === naming,
    );
  return {
    news(listener) {
      const heard = heardBy(listener, said, false);
      const [newest] = heard;
      const furtherBack = Math.max(0, oldest - 1 - listener.knownSeq) - heardBy(listener, further, true).length;
      return newest && { newest, count: heard.length + furtherBack };
    },
    mentions: (listener) => heardBy(listener, [...said, ...further], true),
  };
}

function names({ mentions = [] }: SaidMessage, userId: ObjectId): boolean {
  return mentions.some((id) => id.equals(userId));
}
