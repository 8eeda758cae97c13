import { type Infer } from '../../core/http/schema.js';
import { attachmentWords } from '../media/index.js';
import { type Locale, type UserSummary } from '../users/index.js';
import { type conversationAnswer, type memberAnswer } from './chat.schemas.js';
import { type Conversation, type Membership } from './conversation.model.js';

export type ConversationAnswer = Infer<typeof conversationAnswer>;
export type MemberAnswer = Infer<typeof memberAnswer>;

export interface Seen {
  own: Membership;
  members: MemberAnswer[];
  /** Whether the last message may be shown to this member. */
  isLastShown: boolean;
  /** Of this member, for what has no words of its own; absent where that is not known. */
  locale?: Locale | undefined;
  /** How many wait to be let in; absent where this member need not know. */
  requestCount?: number;
}

/** A conversation as one of its members sees it. */
export function presentConversation(
  conversation: Conversation,
  { own, members, isLastShown, locale, requestCount }: Seen,
): ConversationAnswer {
  const { _id, type, title, memberCount, lastSeq, lastMessage, createdAt, updatedAt } = conversation;
  const { role, lastReadSeq, joinedSeq, mutedUntil } = own;
  return {
    id: _id.toHexString(),
    type,
    memberCount,
    members,
    role,
    lastSeq,
    lastReadSeq,
    unreadCount: Math.max(0, lastSeq - lastReadSeq),
    lastMessage:
      lastMessage && isLastShown && lastMessage.seq > joinedSeq
        ? {
            id: lastMessage.id.toHexString(),
            seq: lastMessage.seq,
            senderId: lastMessage.senderId?.toHexString() ?? null,
            excerpt: lastMessage.attached ? attachmentWords(locale ?? 'en', lastMessage.attached) : lastMessage.excerpt,
            createdAt: lastMessage.createdAt,
          }
        : null,
    createdAt,
    updatedAt,
    ...(title !== undefined && { title }),
    ...(mutedUntil && { mutedUntil }),
    ...(requestCount !== undefined && { requestCount }),
  };
}

/** A member; of an account that is gone only the id. */
export function presentMember(membership: Membership, users: ReadonlyMap<string, UserSummary>): MemberAnswer {
  const { userId, role, joinedAt, lastReadSeq, lastDeliveredSeq } = membership;
  const id = userId.toHexString();
  return { user: users.get(id) ?? null, userId: id, role, joinedAt, lastReadSeq, lastDeliveredSeq };
}
