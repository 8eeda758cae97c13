import { type Infer } from '../../core/http/schema.js';
import { type messageAnswer } from './chat.schemas.js';
import { type Message } from './message.model.js';

export type MessageAnswer = Infer<typeof messageAnswer>;

const NOBODY: ReadonlySet<string> = new Set();

/**
 * A message as it is told and answered.
 * @param hidden users who must not appear to whoever it is for
 */
export function presentMessage(message: Message, hidden: ReadonlySet<string> = NOBODY): MessageAnswer {
  const { _id, conversationId, seq, senderId, clientId, body, replyTo, createdAt, editedAt, deletedAt } = message;
  const { mentions = [], reactions = [] } = message;
  const isSeen = (userId: string): boolean => !hidden.has(userId);
  return {
    id: _id.toHexString(),
    conversationId: conversationId.toHexString(),
    seq,
    senderId: senderId?.toHexString() ?? null,
    clientId,
    body,
    mentions: mentions.map((id) => id.toHexString()).filter(isSeen),
    reactions: reactions
      .map(({ userId, emoji }) => ({ userId: userId.toHexString(), emoji }))
      .filter(({ userId }) => isSeen(userId)),
    createdAt,
    ...(replyTo !== undefined && { replyTo }),
    ...(editedAt && { editedAt }),
    ...(deletedAt && { deletedAt }),
  };
}
