import { type Collection, ObjectId } from 'mongodb';
import { type Clock, DAY, later, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { badRequest, Problem } from '../../core/http/problem.js';
import { type Signer } from '../../core/security/signing.js';
import { type Visibility } from '../../core/visibility.js';
import { type ConversationList } from './conversation.list.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
  REMEMBERED_DAYS,
} from './conversation.model.js';
import { type ConversationAnswer } from './conversation.presenter.js';
import { type HiddenMessage, hiddenMessageCollection, type Message, messageCollection } from './message.model.js';
import { type MessageAnswer, type MessagePresenter } from './message.presenter.js';

export interface SyncDeps {
  database: Database;
  clock: Clock;
  list: ConversationList;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  signer: Signer;
  presenter: MessagePresenter;
}

/** What has changed for a user since a position. What a client has already may be among it: it is put in its place. */
export interface Changes {
  position: string;
  /** Whether to ask again at once. */
  hasMore: boolean;
  conversations: ConversationAnswer[];
  removed: string[];
  messages: MessageAnswer[];
  gone: { conversationId: string; messageId: string; seq: number }[];
  receipts: { conversationId: string; userId: string; lastReadSeq: number; lastDeliveredSeq: number }[];
}

/** From when on, and where to go on with the messages, of which there may be many. */
interface Position {
  since: Date;
  /** Of the last message told; what is not a message was told before. */
  after?: { changedAt: Date; id: string; until: Date };
}

/** A write is to be seen so long after the time that it bears, whichever node has written it. */
const OVERLAP_MS = MINUTE;
const SCOPE = 'chat position';
/** Of a member of many big groups there may be very many; what is left out is said by their lists of members. */
const MOST_RECEIPTS = 2_000;

/**
 * What a client that was away has missed. Everything bears the time of its last change, and a position is a time: no
 * log of changes is kept, and a client that was away for a week reads what there is now, not what happened on the way.
 */
export class SyncService {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;
  private readonly messages: Collection<Message>;
  private readonly hidden: Collection<HiddenMessage>;

  constructor(private readonly deps: SyncDeps) {
    this.conversations = deps.database.collection(conversationCollection.name);
    this.memberships = deps.database.collection(membershipCollection.name);
    this.messages = deps.database.collection(messageCollection.name);
    this.hidden = deps.database.collection(hiddenMessageCollection.name);
  }

  /** Where a client stands that begins now to read everything. */
  begin(): Changes {
    const position = this.seal({ since: this.deps.clock.now() });
    return { position, hasMore: false, conversations: [], removed: [], messages: [], gone: [], receipts: [] };
  }

  /**
   * @param limit of the messages that are told at once
   * @throws Problem 400 `INVALID_POSITION`, 410 `POSITION_TOO_OLD` after thirty days: who has left what is then forgotten
   */
  async changes(userId: string, position: string, limit: number): Promise<Changes> {
    const { since, after } = this.open(position);
    const { clock, list } = this.deps;
    const now = clock.now();
    if (since < later(now, -REMEMBERED_DAYS * DAY)) {
      const detail = 'Too much has changed since then. Read everything anew.';
      throw new Problem({ status: 410, code: 'POSITION_TOO_OLD', detail });
    }
    const from = later(since, -OVERLAP_MS);
    const _ids = await list.idsOf(userId);
    const told = after ? {} : await this.besideMessages(userId, _ids, from);
    const messages = await this.messagesSince(userId, _ids, { from, after, limit });
    const last = messages.length === limit ? messages.at(-1) : undefined;
    const until = after?.until ?? now;
    const next = last
      ? { since, after: { changedAt: last.changedAt, id: last._id.toHexString(), until } }
      : { since: until };
    const hidden = await this.deps.visibility.hiddenFrom(userId);
    const isSeen = ({ senderId }: Message): boolean => !hidden.has(senderId?.toHexString() ?? '');
    return {
      ...this.begin(),
      ...told,
      messages: (await this.seenBy(userId, messages.filter(isSeen))).map((message) =>
        this.deps.presenter.present(message, hidden),
      ),
      position: this.seal(next),
      hasMore: last !== undefined,
    };
  }

  private async besideMessages(userId: string, _ids: ObjectId[], from: Date): Promise<Partial<Changes>> {
    const own = new ObjectId(userId);
    const changedAt = { $gte: from };
    const [mine, others, changed, hidden] = await Promise.all([
      this.memberships.find({ userId: own, changedAt }).toArray(),
      this.memberships
        .find({ conversationId: { $in: _ids }, changedAt, leftAt: { $exists: false } })
        .sort({ changedAt: -1 })
        .limit(MOST_RECEIPTS)
        .toArray(),
      this.conversations.find({ _id: { $in: _ids }, changedAt }).toArray(),
      this.hidden.find({ userId: own, changedAt }).toArray(),
    ]);
    const known = new Set(changed.map(({ _id }) => _id.toHexString()));
    const more = mine.filter(({ conversationId }) => !known.has(conversationId.toHexString()));
    const found = await this.conversations.find({ _id: { $in: more.map((each) => each.conversationId) } }).toArray();
    const conversations = await this.deps.list.present(userId, [...changed, ...found]);
    const there = new Set(conversations.map(({ id }) => id));
    const apart = await this.deps.visibility.hiddenFrom(userId);
    return {
      conversations,
      removed: mine.map(({ conversationId }) => conversationId.toHexString()).filter((id) => !there.has(id)),
      gone: hidden.map(({ conversationId, messageId, seq }) => ({
        conversationId: conversationId.toHexString(),
        messageId: messageId.toHexString(),
        seq,
      })),
      receipts: others
        .map(({ conversationId, userId: of, lastReadSeq, lastDeliveredSeq }) => ({
          ...{ conversationId: conversationId.toHexString(), userId: of.toHexString() },
          ...{ lastReadSeq, lastDeliveredSeq },
        }))
        .filter((receipt) => !apart.has(receipt.userId)),
    };
  }

  /** In the order of their changes over all conversations: each contributes what the index holds in that order. */
  private async messagesSince(
    userId: string,
    _ids: ObjectId[],
    { from, after, limit }: { from: Date; after: Position['after']; limit: number },
  ): Promise<Message[]> {
    if (_ids.length === 0) return [];
    const own = await this.memberships
      .find({ userId: new ObjectId(userId), conversationId: { $in: _ids } })
      .project<Pick<Membership, 'conversationId' | 'joinedSeq'>>({ _id: 0, conversationId: 1, joinedSeq: 1 })
      .toArray();
    const late = own.filter(({ joinedSeq }) => joinedSeq > 0);
    const beyond = after && {
      changedAt: { $gte: after.changedAt },
      $or: [
        { changedAt: { $gt: after.changedAt } },
        { changedAt: after.changedAt, _id: { $gt: new ObjectId(after.id) } },
      ],
    };
    return this.messages
      .find({
        conversationId: { $in: _ids },
        ...(beyond ?? { changedAt: { $gte: from } }),
        ...(late.length > 0 && {
          $nor: late.map(({ conversationId, joinedSeq }) => ({ conversationId, seq: { $lte: joinedSeq } })),
        }),
      })
      .sort({ changedAt: 1, _id: 1 })
      .limit(limit)
      .toArray();
  }

  private async seenBy(userId: string, messages: Message[]): Promise<Message[]> {
    if (messages.length === 0) return messages;
    const gone = await this.hidden
      .find({ userId: new ObjectId(userId), messageId: { $in: messages.map(({ _id }) => _id) } })
      .project<Pick<HiddenMessage, 'messageId'>>({ _id: 0, messageId: 1 })
      .toArray();
    const ids = new Set(gone.map(({ messageId }) => messageId.toHexString()));
    return messages.filter(({ _id }) => !ids.has(_id.toHexString()));
  }

  private seal(position: Position): string {
    const payload = Buffer.from(JSON.stringify(position)).toString('base64url');
    return `${payload}.${this.deps.signer.sign(`${SCOPE} ${payload}`)}`;
  }

  private open(position: string): Position {
    const [payload, signature, ...rest] = position.split('.');
    const isOurs =
      payload !== undefined &&
      signature !== undefined &&
      rest.length === 0 &&
      this.deps.signer.verify(`${SCOPE} ${payload}`, signature);
    if (!isOurs) throw badRequest('INVALID_POSITION', 'This is no position. Begin without one.');
    const { since, after } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Stored;
    return {
      since: new Date(since),
      ...(after && { after: { ...after, changedAt: new Date(after.changedAt), until: new Date(after.until) } }),
    };
  }
}

/** A position as JSON has it. */
interface Stored {
  since: string;
  after?: { changedAt: string; id: string; until: string };
}
