import { type Infer } from '../../core/http/schema.js';
import { attachmentFactsOf, type MediaLinks, presentAttachment } from '../media/index.js';
import { type messageAnswer, type messageFacts } from './chat.schemas.js';
import { type Message } from './message.model.js';

export type MessageAnswer = Infer<typeof messageAnswer>;
export type MessageFacts = Infer<typeof messageFacts>;

const NOBODY: ReadonlySet<string> = new Set();

/**
 * A message as events tell of it.
 * @param hidden users who must not appear to whoever it is for
 */
export function factsOf(message: Message, hidden: ReadonlySet<string> = NOBODY): MessageFacts {
  const { _id, conversationId, seq, senderId, clientId, body, replyTo, createdAt, editedAt, deletedAt } = message;
  const { mentions = [], reactions = [], attachments } = message;
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
    ...(attachments && { attachments: attachments.map(attachmentFactsOf) }),
    ...(editedAt && { editedAt }),
    ...(deletedAt && { deletedAt }),
  };
}

/** Messages as they are told and answered: what is attached with links to it, made at that moment. */
export class MessagePresenter {
  constructor(private readonly links: MediaLinks) {}

  /** @param hidden users who must not appear to whoever it is for */
  present(message: Message, hidden?: ReadonlySet<string>): MessageAnswer {
    return this.tell(factsOf(message, hidden));
  }

  /** What an event has told of. */
  tell({ attachments = [], ...said }: MessageFacts): MessageAnswer {
    return { ...said, attachments: attachments.map((each) => presentAttachment(each, this.links)) };
  }
}
