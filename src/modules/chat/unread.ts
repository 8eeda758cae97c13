import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Attachment } from '../media/index.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
  PRESENT_MEMBER,
} from './conversation.model.js';
import { type HiddenMessage, hiddenMessageCollection, type Message, messageCollection } from './message.model.js';

/** A member who has not read all of a conversation. */
export interface UnreadMember {
  membershipId: ObjectId;
  userId: ObjectId;
  /** What was said up to this one they have read, or was said before they came. */
  readSeq: number;
  /** And this one, what they were told of as well. */
  knownSeq: number;
  isMuted: boolean;
}

/** A place in a conversation. */
export interface Place {
  conversationId: ObjectId;
  seq: number;
}

export type SaidMessage = Pick<Message, '_id' | 'seq' | 'senderId' | 'body' | 'mentions' | 'deletedAt'> & {
  attachments?: Pick<Attachment, 'type'>[];
};

const SAID = { seq: 1, senderId: 1, body: 1, mentions: 1, 'attachments.type': 1, deletedAt: 1 } as const;

export interface MemberPage {
  after?: ObjectId | undefined;
  limit: number;
  /** Those who are among them even if they have muted the conversation. */
  evenMuted?: readonly ObjectId[] | undefined;
}

const MARKS = { userId: 1, lastReadSeq: 1, joinedSeq: 1, toldSeq: 1, mutedUntil: 1 } as const;
type Marked = Pick<Membership, '_id' | keyof typeof MARKS>;

/** What members of conversations have not read, for whoever tells them of it. */
export class Unread {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;
  private readonly messages: Collection<Message>;
  private readonly hidden: Collection<HiddenMessage>;

  constructor(private readonly deps: { database: Database; clock: Clock }) {
    const { database } = deps;
    this.conversations = database.collection(conversationCollection.name);
    this.memberships = database.collection(membershipCollection.name);
    this.messages = database.collection(messageCollection.name);
    this.hidden = database.collection(hiddenMessageCollection.name);
  }

  /** What kind of conversation it is, and its title, if any. */
  conversation(session: ClientSession, _id: ObjectId): Promise<Pick<Conversation, 'type' | 'title'> | null> {
    return this.conversations.findOne({ _id }, { session, projection: { _id: 0, type: 1, title: 1 } });
  }

  /** Those who have neither read up to this place nor were told of it, and have not muted it, in the order of their ids. */
  async members(
    session: ClientSession,
    conversationId: ObjectId,
    seq: number,
    { after, limit, evenMuted = [] }: MemberPage,
  ): Promise<UnreadMember[]> {
    const found = await this.memberships
      .find(
        {
          conversationId,
          ...(after && { userId: { $gt: after } }),
          ...this.listening(evenMuted),
          lastReadSeq: { $lt: seq },
          joinedSeq: { $lt: seq },
          toldSeq: { $not: { $gte: seq } },
        },
        { session, projection: MARKS },
      )
      .sort({ userId: 1 })
      .limit(limit)
      .toArray();
    return found.map((member) => this.asUnread(member));
  }

  /** Which of these are in a conversation and have come before a place, whatever they have read or muted. */
  async present(
    session: ClientSession,
    conversationId: ObjectId,
    seq: number,
    userIds: readonly ObjectId[],
  ): Promise<UnreadMember[]> {
    const found = await this.memberships
      .find(
        { conversationId, userId: { $in: userIds }, ...PRESENT_MEMBER, joinedSeq: { $lt: seq } },
        { session, projection: MARKS },
      )
      .toArray();
    return found.map((member) => this.asUnread(member));
  }

  /**
   * Whom `members` would find of each of these places, in conversations with at most so many members: two queries for all
   * of them, outside of any transaction. Of larger ones nothing is said.
   */
  async inSmall<P extends Place>(places: readonly P[], most: number): Promise<ReadonlyMap<P, ObjectId[]>> {
    const _id = { $in: places.map(({ conversationId }) => conversationId) };
    const small = await this.conversations
      .find({ _id, memberCount: { $lte: most } }, { projection: { _id: 1 } })
      .toArray();
    const members = await this.memberships
      .find(
        { conversationId: { $in: small.map((each) => each._id) }, ...this.listening() },
        { projection: { _id: 0, conversationId: 1, userId: 1, lastReadSeq: 1, joinedSeq: 1, toldSeq: 1 } },
      )
      .toArray();
    const ofEach = new Map(small.map((each) => [each._id.toHexString(), [] as typeof members]));
    for (const member of members) ofEach.get(member.conversationId.toHexString())?.push(member);
    return new Map(
      places.flatMap((place) => {
        const all = ofEach.get(place.conversationId.toHexString());
        if (!all) return [];
        const unread = all.filter(
          ({ lastReadSeq, joinedSeq, toldSeq = 0 }) => Math.max(lastReadSeq, joinedSeq, toldSeq) < place.seq,
        );
        return [[place, unread.map(({ userId }) => userId)] as const];
      }),
    );
  }

  /** The newest messages up to a place, the newest first; of those that were deleted their places alone. */
  said(session: ClientSession, conversationId: ObjectId, seq: number, limit: number): Promise<SaidMessage[]> {
    return this.messages
      .find({ conversationId, seq: { $lte: seq } }, { session, projection: SAID })
      .sort({ seq: -1 })
      .limit(limit)
      .toArray();
  }

  /** One message, as it is now. */
  message(session: ClientSession, _id: ObjectId): Promise<SaidMessage | null> {
    return this.messages.findOne({ _id }, { session, projection: SAID });
  }

  /** Those between two places that name one of these users, the newest of them first. */
  naming(
    session: ClientSession,
    conversationId: ObjectId,
    userIds: readonly ObjectId[],
    { after, before, limit }: { after: number; before: number; limit: number },
  ): Promise<SaidMessage[]> {
    return this.messages
      .find(
        { mentions: { $in: userIds }, conversationId, seq: { $gt: after, $lt: before } },
        { session, projection: SAID },
      )
      .sort({ seq: -1 })
      .limit(limit)
      .toArray();
  }

  /** Which of the messages from this place on some users have deleted for themselves: the ids of both, together. */
  async hiddenBy(
    session: ClientSession,
    conversationId: ObjectId,
    userIds: readonly ObjectId[],
    fromSeq: number,
  ): Promise<(userId: ObjectId, messageId: ObjectId) => boolean> {
    const keyOf = (userId: ObjectId, messageId: ObjectId) => `${userId.toHexString()} ${messageId.toHexString()}`;
    const found = await this.hidden
      .find(
        { userId: { $in: userIds }, conversationId, seq: { $gte: fromSeq } },
        { session, projection: { userId: 1, messageId: 1 } },
      )
      .toArray();
    const keys = new Set(found.map(({ userId, messageId }) => keyOf(userId, messageId)));
    return (userId, messageId) => keys.has(keyOf(userId, messageId));
  }

  /**
   * Notes that these members were told of what was said up to a place, in the transaction that tells them. Since reading
   * and leaving write to the same document, whichever comes second sees what the first has done.
   */
  async told(session: ClientSession, membershipIds: readonly ObjectId[], toldSeq: number): Promise<void> {
    await this.memberships.updateMany({ _id: { $in: membershipIds } }, { $max: { toldSeq } }, { session });
  }

  /**
   * Notes that these members were told that a message names them which was edited. It says nothing of what they know,
   * but whoever leaves at the same moment comes before or after it.
   */
  async named(session: ClientSession, membershipIds: readonly ObjectId[]): Promise<void> {
    const namedAt = this.deps.clock.now();
    await this.memberships.updateMany({ _id: { $in: membershipIds } }, { $set: { namedAt } }, { session });
  }

  private asUnread({ _id, userId, lastReadSeq, joinedSeq, toldSeq = 0, mutedUntil }: Marked): UnreadMember {
    const readSeq = Math.max(lastReadSeq, joinedSeq);
    const isMuted = mutedUntil !== undefined && mutedUntil > this.deps.clock.now();
    return { membershipId: _id, userId, readSeq, knownSeq: Math.max(readSeq, toldSeq), isMuted };
  }

  /** Those who are in a conversation and have not muted it, or are among these. */
  private listening(evenMuted: readonly ObjectId[] = []) {
    const hears = { mutedUntil: { $not: { $gt: this.deps.clock.now() } } };
    if (evenMuted.length === 0) return { ...PRESENT_MEMBER, ...hears };
    return { ...PRESENT_MEMBER, $or: [hears, { userId: { $in: [...evenMuted] } }] };
  }
}
