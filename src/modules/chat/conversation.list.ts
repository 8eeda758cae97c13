import { type Collection, type Filter, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { type Visibility } from '../../core/visibility.js';
import { type Locale, type UserService } from '../users/index.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
  PRESENT_MEMBER,
} from './conversation.model.js';
import {
  type ConversationAnswer,
  type MemberAnswer,
  presentConversation,
  presentMember,
} from './conversation.presenter.js';
import { type Entered } from './gate.js';
import { type JoinRequests } from './joining/join-requests.js';
import { type HiddenMessage, hiddenMessageCollection } from './message.model.js';

export interface ConversationListDeps {
  database: Database;
  pager: Pager;
  users: Pick<UserService, 'summaries' | 'contacts'>;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  gone: () => Promise<ReadonlySet<string>>;
  requests: Pick<JoinRequests, 'counts'>;
}

interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** Conversations as their members see them, and their members: a few queries for a page, however long it is. */
export class ConversationList {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;
  private readonly hiddenMessages: Collection<HiddenMessage>;

  constructor(private readonly deps: ConversationListDeps) {
    this.conversations = deps.database.collection(conversationCollection.name);
    this.memberships = deps.database.collection(membershipCollection.name);
    this.hiddenMessages = deps.database.collection(hiddenMessageCollection.name);
  }

  /** A user's conversations, those in which something was said last first. */
  async page(userId: string, query: PageQuery): Promise<Page<ConversationAnswer>> {
    const _ids = await this.idsOf(userId);
    const filter: Filter<Conversation> = { _id: { $in: _ids } };
    const { data, nextCursor } = await this.deps.pager.page<Conversation>({
      collection: this.conversations,
      filter,
      sort: [
        ['updatedAt', -1],
        ['_id', -1],
      ],
      scope: `conversations of ${userId}`,
      ...query,
    });
    return { data: await this.present(userId, data), nextCursor };
  }

  /** One of them; absent where it is none of this user's. */
  async one(userId: string, conversationId: string): Promise<ConversationAnswer | undefined> {
    const found = await this.conversations.find({ _id: new ObjectId(conversationId) }).toArray();
    return (await this.present(userId, found))[0];
  }

  /** As this user sees them; those that are not there for the user are left out. */
  async present(userId: string, conversations: Conversation[]): Promise<ConversationAnswer[]> {
    if (conversations.length === 0) return [];
    const [own, direct, hidden, gone, removed] = await Promise.all([
      this.ownIn(userId, conversations),
      this.membersOf(conversations.filter(({ type }) => type === 'direct')),
      this.deps.visibility.hiddenFrom(userId),
      this.deps.gone(),
      this.removedAmong(userId, conversations),
    ]);
    const led = conversations.filter(({ _id, type }) => type === 'group' && leads(own.get(_id.toHexString())));
    const [summaries, requestCounts, locale] = await Promise.all([
      this.deps.users.summaries(direct.map((each) => each.userId.toHexString())),
      this.deps.requests.counts(
        led.map(({ _id }) => _id),
        hidden,
      ),
      this.localeFor(userId, conversations),
    ]);
    const isApart = (id: string): boolean => hidden.has(id) && !gone.has(id);
    return conversations.flatMap((conversation) => {
      const mine = own.get(conversation._id.toHexString());
      const members = direct.filter(({ conversationId }) => conversationId.equals(conversation._id));
      if (!mine || members.some((member) => isApart(member.userId.toHexString()))) return [];
      const { lastMessage } = conversation;
      const isShown = lastMessage && !removed.has(lastMessage.id.toHexString());
      return presentConversation(conversation, {
        own: mine,
        members: members.map((member) => presentMember(member, summaries)),
        locale,
        isLastShown: isShown === true && !isApart(lastMessage.senderId?.toHexString() ?? ''),
        ...(led.includes(conversation) && { requestCount: requestCounts.get(conversation._id.toHexString()) ?? 0 }),
      });
    });
  }

  /** The members of a group, in the order of their ids. */
  async members(
    { conversationId, hidden }: Pick<Entered, 'conversationId' | 'hidden'>,
    query: PageQuery,
  ): Promise<Page<MemberAnswer>> {
    const { data, nextCursor } = await this.deps.pager.page<Membership>({
      collection: this.memberships,
      filter: {
        conversationId: new ObjectId(conversationId),
        leftAt: { $exists: false },
        ...(hidden.size > 0 && { userId: { $nin: [...hidden].map((id) => new ObjectId(id)) } }),
      },
      sort: [['userId', 1]],
      scope: `members of ${conversationId}`,
      ...query,
    });
    const summaries = await this.deps.users.summaries(data.map(({ userId }) => userId.toHexString()));
    return { data: data.map((member) => presentMember(member, summaries)), nextCursor };
  }

  /** The ids of a user's conversations that are there for the user: from the keys of an index and what they point to. */
  async idsOf(userId: string): Promise<ObjectId[]> {
    const own = { userId: new ObjectId(userId), ...PRESENT_MEMBER };
    const found = await this.memberships.find(own, { projection: { _id: 0, conversationId: 1 } }).toArray();
    return found.map(({ conversationId }) => conversationId);
  }

  private async ownIn(userId: string, conversations: Conversation[]): Promise<Map<string, Membership>> {
    const conversationId = { $in: conversations.map(({ _id }) => _id) };
    const own = { userId: new ObjectId(userId), conversationId, ...PRESENT_MEMBER };
    const found = await this.memberships.find(own).toArray();
    return new Map(found.map((membership) => [membership.conversationId.toHexString(), membership]));
  }

  /** Asked for only where something is to be put into words. */
  private async localeFor(userId: string, conversations: Conversation[]): Promise<Locale | undefined> {
    if (conversations.every(({ lastMessage }) => lastMessage?.attached === undefined)) return undefined;
    return (await this.deps.users.contacts([userId])).get(userId)?.locale;
  }

  private async membersOf(conversations: Conversation[]): Promise<Membership[]> {
    if (conversations.length === 0) return [];
    const conversationId = { $in: conversations.map(({ _id }) => _id) };
    return this.memberships.find({ conversationId, leftAt: { $exists: false } }).toArray();
  }

  /** Which of the last messages this user has deleted for themself. */
  private async removedAmong(userId: string, conversations: Conversation[]): Promise<Set<string>> {
    const messageIds = conversations.flatMap(({ lastMessage }) => lastMessage?.id ?? []);
    if (messageIds.length === 0) return new Set();
    const found = await this.hiddenMessages
      .find({ userId: new ObjectId(userId), messageId: { $in: messageIds } }, { projection: { _id: 0, messageId: 1 } })
      .toArray();
    return new Set(found.map(({ messageId }) => messageId.toHexString()));
  }
}

function leads(own: Membership | undefined): boolean {
  return own !== undefined && own.role !== 'member';
}
