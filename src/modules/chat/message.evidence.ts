import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Members } from './members.js';
import {
  type HiddenMessage,
  hiddenMessageCollection,
  type Message,
  messageCollection,
  type MessageEdit,
  messageEditCollection,
} from './message.model.js';

/** What was said, and what was said there before. */
export interface Testimony {
  message: Message;
  /** What it said before it was edited or deleted, in that order: the last of many. */
  edits: Pick<MessageEdit, 'body' | 'attachments' | 'at'>[];
}

/** A message may be edited again and again; more than this tells moderators nothing new. */
const MOST_EDITS = 50;

export interface MessageEvidenceDeps {
  database: Database;
  members: Members;
}

/** Messages for those who report them, and for the moderators who read the reports. */
export class MessageEvidence {
  private readonly messages: Collection<Message>;
  private readonly edits: Collection<MessageEdit>;
  private readonly hidden: Collection<HiddenMessage>;

  constructor(private readonly deps: MessageEvidenceDeps) {
    this.messages = deps.database.collection(messageCollection.name);
    this.edits = deps.database.collection(messageEditCollection.name);
    this.hidden = deps.database.collection(hiddenMessageCollection.name);
  }

  /**
   * A message that stands in one of the user’s conversations, was said while they were there, and was not deleted by
   * them for themself. Blocks are not asked for: who has blocked somebody may well report what came before.
   */
  async witnessed(userId: string, messageId: string): Promise<Message | undefined> {
    const message = await this.messages.findOne({ _id: new ObjectId(messageId) });
    if (!message) return undefined;
    const own = await this.ownIn(message.conversationId.toHexString(), userId);
    if (!own || message.seq <= own.joinedSeq) return undefined;
    const isGone = await this.hidden.findOne({ userId: new ObjectId(userId), messageId: message._id });
    return isGone ? undefined : message;
  }

  /** Messages and what became of them, by message id; what is no longer there is absent. For moderators alone. */
  async of(messageIds: readonly ObjectId[]): Promise<Map<string, Testimony>> {
    if (messageIds.length === 0) return new Map();
    const $in = [...messageIds];
    const [messages, histories] = await Promise.all([
      this.messages.find({ _id: { $in } }).toArray(),
      this.edits
        .aggregate<{ _id: ObjectId; edits: Testimony['edits'] }>([
          { $match: { messageId: { $in } } },
          { $sort: { messageId: 1, at: 1 } },
          {
            $group: {
              _id: '$messageId',
              edits: { $lastN: { n: MOST_EDITS, input: { body: '$body', attachments: '$attachments', at: '$at' } } },
            },
          },
        ])
        .toArray(),
    ]);
    const editsOf = new Map(histories.map(({ _id, edits }) => [_id.toHexString(), edits]));
    return new Map(
      messages.map((message) => {
        const id = message._id.toHexString();
        return [id, { message, edits: editsOf.get(id) ?? [] }];
      }),
    );
  }

  /** Who seems not to be in it may have come a moment ago by another node: that is read anew. */
  private async ownIn(conversationId: string, userId: string) {
    const { members } = this.deps;
    const remembered = (await members.of(conversationId))?.members.get(userId);
    if (remembered) return remembered;
    members.forget(conversationId);
    return (await members.of(conversationId))?.members.get(userId);
  }
}
