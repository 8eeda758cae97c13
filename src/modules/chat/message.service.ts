import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { badRequest, forbidden } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type Permissions } from '../../core/visibility.js';
import { type messageBody } from './chat.schemas.js';
import { type Entered, type Gate } from './gate.js';
import { mustBeNameable } from './mentions.js';
import { type MessageAttaching } from './message.attaching.js';
import { type HiddenMessage, hiddenMessageCollection, type Message, messageCollection } from './message.model.js';
import { type MessageWriter } from './message.writer.js';

export interface MessageDeps {
  database: Database;
  gate: Gate;
  permissions: Permissions;
  writer: MessageWriter;
  attaching: Pick<MessageAttaching, 'write'>;
}

export interface MessageRange {
  limit: number;
  /** Only those before this place, the newest of them. */
  before?: number | undefined;
  /** Only those after this place, the oldest of them. */
  after?: number | undefined;
}

/** Sending messages, and reading them in their order. */
export class MessageService {
  private readonly messages: Collection<Message>;
  private readonly hiddenMessages: Collection<HiddenMessage>;

  constructor(private readonly deps: MessageDeps) {
    this.messages = deps.database.collection(messageCollection.name);
    this.hiddenMessages = deps.database.collection(hiddenMessageCollection.name);
  }

  /**
   * Sends a message; the same `clientId` again answers with what was sent by it. Who is in the conversation, and who
   * lets whom write, is remembered and not read: the only things that wait for the database are the message and what is
   * attached to it.
   * @throws Problem 404 `CONVERSATION_NOT_FOUND`, 403 `CANNOT_MESSAGE_USER`, 400 `UNKNOWN_REPLY`, `UNKNOWN_MENTION`,
   *   `UNKNOWN_ATTACHMENT`, 409 `CLIENT_ID_REUSED`, 503 `OVERLOADED`
   */
  async send(userId: string, conversationId: string, message: Infer<typeof messageBody>): Promise<Message> {
    const entered = await this.deps.gate.mustEnter(userId, conversationId);
    await this.mustBeHeard(userId, entered);
    const { clientId, body, replyTo, mentions = [], attachments = [] } = message;
    mustBeNameable(entered, mentions);
    if (replyTo !== undefined) await this.mustBeThere(entered, replyTo);
    const said = {
      conversationId: new ObjectId(conversationId),
      senderId: new ObjectId(userId),
      clientId,
      body,
      ...(replyTo !== undefined && { replyTo }),
      ...(mentions.length > 0 && { mentions: mentions.map((id) => new ObjectId(id)) }),
    };
    return attachments.length > 0 ? this.deps.attaching.write(said, attachments) : this.deps.writer.write(said);
  }

  /** A page in the order of the conversation; without bounds the newest. */
  async page(
    userId: string,
    { conversationId, own, hidden }: Entered,
    { limit, before, after }: MessageRange,
  ): Promise<{ messages: Message[]; hasMore: boolean }> {
    const isForward = after !== undefined;
    const from = Math.max(after ?? 0, own.joinedSeq);
    const found = await this.messages
      .find({
        conversationId: new ObjectId(conversationId),
        seq: { $gt: from, ...(before !== undefined && { $lt: before }) },
        ...(hidden.size > 0 && { senderId: { $nin: [...hidden].map((id) => new ObjectId(id)) } }),
      })
      .sort({ seq: isForward ? 1 : -1 })
      .limit(limit + 1)
      .toArray();
    const page = found.slice(0, limit);
    if (!isForward) page.reverse();
    return { messages: await this.shownTo(userId, page), hasMore: found.length > limit };
  }

  /** One that this user may see. */
  async find(
    userId: string,
    { conversationId, own, hidden }: Entered,
    messageId: string,
  ): Promise<Message | undefined> {
    const message = await this.messages.findOne({ _id: new ObjectId(messageId) });
    if (message?.conversationId.toHexString() !== conversationId) return undefined;
    if (message.seq <= own.joinedSeq || hidden.has(message.senderId?.toHexString() ?? '')) return undefined;
    const [shown] = await this.shownTo(userId, [message]);
    return shown;
  }

  /** Without those that this user has deleted for themself. */
  private async shownTo(userId: string, messages: Message[]): Promise<Message[]> {
    if (messages.length === 0) return messages;
    const messageIds = messages.map(({ _id }) => _id);
    const gone = await this.hiddenMessages
      .find({ userId: new ObjectId(userId), messageId: { $in: messageIds } }, { projection: { _id: 0, messageId: 1 } })
      .toArray();
    if (gone.length === 0) return messages;
    const ids = new Set(gone.map(({ messageId }) => messageId.toHexString()));
    return messages.filter(({ _id }) => !ids.has(_id.toHexString()));
  }

  private async mustBeHeard(userId: string, { type, otherId }: Entered): Promise<void> {
    if (type === 'group') return;
    const mayWrite = otherId !== undefined && (await this.deps.permissions.can(userId, 'message', otherId));
    if (!mayWrite) throw forbidden('CANNOT_MESSAGE_USER', 'You cannot write to this user.');
  }

  private async mustBeThere({ conversationId, own }: Entered, seq: number): Promise<void> {
    const place = { conversationId: new ObjectId(conversationId), seq };
    const found = seq > own.joinedSeq && (await this.messages.findOne(place, { projection: { _id: 1 } }));
    if (!found) throw badRequest('UNKNOWN_REPLY', 'There is no message at that place to reply to.');
  }
}
