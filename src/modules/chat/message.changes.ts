import { type ClientSession, type Collection, type Document, ObjectId } from 'mongodb';
import { type Clock, DAY } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type EventType } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict, forbidden } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type Attachment, type Attachments } from '../media/index.js';
import { messageDeleted, messageEdited, messageHidden, messageMentionsChanged, messageReacted } from './chat.events.js';
import { type messagePatch } from './chat.schemas.js';
import { type Entered } from './gate.js';
import { mustBeNameable } from './mentions.js';
import {
  type HiddenMessage,
  hiddenMessageCollection,
  type Message,
  messageCollection,
  type MessageEdit,
  messageEditCollection,
} from './message.model.js';
import { factsOf, type MessageFacts } from './message.presenter.js';

export interface MessageChangeDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  attachments: Pick<Attachments, 'release'>;
}

const EDITABLE_MS = DAY;

/** What is done to a message after it was sent. Rare beside sending: each is a transaction with its event. */
export class MessageChanges {
  private readonly messages: Collection<Message>;
  private readonly edits: Collection<MessageEdit>;
  private readonly hidden: Collection<HiddenMessage>;

  constructor(private readonly deps: MessageChangeDeps) {
    this.messages = deps.database.collection(messageCollection.name);
    this.edits = deps.database.collection(messageEditCollection.name);
    this.hidden = deps.database.collection(hiddenMessageCollection.name);
  }

  /**
   * Puts another text in the place of one’s own; what it said before is kept for moderators. It may name others, too:
   * who is named already may have left since.
   * @throws Problem 403 `NOT_YOUR_MESSAGE`, 400 `UNKNOWN_MENTION`, 409 `MESSAGE_DELETED`, `EDIT_TOO_LATE` 24 hours
   *   after it was sent
   */
  async edit(
    userId: string,
    entered: Entered,
    message: Message,
    { body, mentions }: Infer<typeof messagePatch>,
  ): Promise<Message> {
    mustBeOwn(userId, message);
    const named = idsOf(message.mentions);
    if (mentions) {
      mustBeNameable(
        entered,
        mentions.filter((id) => !named.includes(id)),
      );
    }
    const now = this.deps.clock.now();
    if (message.createdAt.getTime() + EDITABLE_MS <= now.getTime()) {
      throw conflict('EDIT_TOO_LATE', 'A message can be edited for 24 hours.');
    }
    const change = { body, editedAt: now, ...(mentions && { mentions: mentions.map((id) => new ObjectId(id)) }) };
    return this.replace(userId, message, messageEdited, change);
  }

  /**
   * Deletes one’s own for everyone: its place stays, empty. Twice is once.
   * @throws Problem 403 `NOT_YOUR_MESSAGE`
   */
  async deleteForEveryone(userId: string, message: Message): Promise<void> {
    mustBeOwn(userId, message);
    const { database, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const now = clock.now();
      const before = await this.messages.findOneAndUpdate(
        { _id: message._id, deletedAt: { $exists: false } },
        {
          $set: { body: '', deletedAt: now, changedAt: now },
          $unset: { reactions: 1, mentions: 1, attachments: 1, editedAt: 1 },
        },
        { session, returnDocument: 'before' },
      );
      if (!before) return;
      const { attachments } = before;
      await this.edits.insertOne({ ...asEdit(before, now), ...(attachments && { attachments }) }, { session });
      if (attachments) await this.release(session, before._id, attachments);
      await outbox.record(session, messageDeleted, {
        actorId: userId,
        entity: { kind: 'message', id: message._id.toHexString() },
        audience: { conversationId: message.conversationId.toHexString() },
        data: goneOf(message),
      });
    });
  }

  /** Takes a message out of one user’s sight, on all their devices. Twice is once. */
  async hide(userId: string, message: Message): Promise<void> {
    const { database, outbox, clock } = this.deps;
    const { _id: messageId, conversationId, seq } = message;
    try {
      await database.inTransaction(async (session) => {
        const hidden = { _id: new ObjectId(), userId: new ObjectId(userId), conversationId, messageId, seq };
        await this.hidden.insertOne({ ...hidden, changedAt: clock.now() }, { session });
        await outbox.record(session, messageHidden, {
          actorId: userId,
          entity: { kind: 'message', id: messageId.toHexString() },
          audience: { userIds: [userId] },
          data: { userId, message: goneOf(message) },
        });
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /**
   * Sets one’s reaction, or takes it back where there is no emoji; each member has one.
   * @throws Problem 409 `MESSAGE_DELETED`
   */
  async react(userId: string, message: Message, emoji: string | null): Promise<Message> {
    const own = new ObjectId(userId);
    const others = { $filter: { input: { $ifNull: ['$reactions', []] }, cond: { $ne: ['$$this.userId', own] } } };
    const reactions =
      emoji === null ? others : { $concatArrays: [others, [{ userId: own, emoji: { $literal: emoji } }]] };
    return this.replace(userId, message, messageReacted, { reactions });
  }

  private release(session: ClientSession, messageId: ObjectId, attached: readonly Attachment[]): Promise<void> {
    return this.deps.attachments.release(
      attached.map(({ id }) => id),
      messageId,
      session,
    );
  }

  private async replace(
    actorId: string,
    { _id, conversationId }: Message,
    type: EventType<MessageFacts>,
    change: { body: string; editedAt: Date; mentions?: ObjectId[] } | { reactions: Document },
  ): Promise<Message> {
    const { database, outbox, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const now = clock.now();
      const alive = { _id, deletedAt: { $exists: false } };
      const before = 'body' in change ? await this.messages.findOne(alive, { session }) : undefined;
      if (before) await this.edits.insertOne(asEdit(before, now), { session });
      const set = 'body' in change ? { ...change, body: { $literal: change.body } } : change;
      const after = await this.messages.findOneAndUpdate(alive, [{ $set: { ...set, changedAt: now } }], {
        session,
        returnDocument: 'after',
      });
      if (!after) throw conflict('MESSAGE_DELETED', 'The message was deleted.');
      await outbox.record(session, type, {
        actorId,
        entity: { kind: 'message', id: _id.toHexString() },
        audience: { conversationId: conversationId.toHexString() },
        data: factsOf(after),
      });
      if (before) await this.recordMentions(session, before, after);
      return after;
    });
  }

  private async recordMentions(session: ClientSession, before: Message, after: Message): Promise<void> {
    const [former, named] = [idsOf(before.mentions), idsOf(after.mentions)];
    const added = named.filter((id) => !former.includes(id));
    const removed = former.filter((id) => !named.includes(id));
    if (added.length + removed.length === 0) return;
    await this.deps.outbox.record(session, messageMentionsChanged, {
      entity: { kind: 'message', id: after._id.toHexString() },
      data: { ...goneOf(after), added, removed },
    });
  }
}

function mustBeOwn(userId: string, { senderId }: Message): void {
  if (senderId?.toHexString() !== userId) throw forbidden('NOT_YOUR_MESSAGE', 'This is somebody else’s message.');
}

function idsOf(mentions: Message['mentions'] = []): string[] {
  return mentions.map((id) => id.toHexString());
}

function asEdit({ _id: messageId, senderId, body }: Message, at: Date): MessageEdit {
  if (!senderId) throw new Error('what nobody has sent is changed by nobody');
  return { _id: new ObjectId(), messageId, senderId, body, at };
}

function goneOf({ _id, conversationId, seq }: Message) {
  return { conversationId: conversationId.toHexString(), messageId: _id.toHexString(), seq };
}
