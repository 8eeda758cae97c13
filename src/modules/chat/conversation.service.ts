import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, forbidden } from '../../core/http/problem.js';
import { type Actor } from '../../core/http/route.js';
import { type Permission, type Permissions } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { conversationCreated } from './chat.events.js';
import {
  type Conversation,
  conversationCollection,
  type MemberRole,
  type Membership,
  membershipCollection,
} from './conversation.model.js';

export interface ConversationDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  users: Pick<UserService, 'contacts'>;
  permissions: Permissions;
}

/** Conversations, and who is in them. */
export class ConversationService {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;

  constructor(private readonly deps: ConversationDeps) {
    this.conversations = deps.database.collection(conversationCollection.name);
    this.memberships = deps.database.collection(membershipCollection.name);
  }

  /**
   * Opens a conversation: a group where it has a title or several others, else the one between the two.
   * @throws Problem 400 `UNKNOWN_USERS`, `CANNOT_MESSAGE_YOURSELF`, 403 `CANNOT_MESSAGE_USER`, `CANNOT_ADD_USERS`
   */
  async open(actor: Actor, userIds: string[], title: string | undefined): Promise<Conversation> {
    if (userIds.includes(actor.id)) throw badRequest('CANNOT_MESSAGE_YOURSELF', 'A conversation is with others.');
    const known = await this.deps.users.contacts(userIds);
    const unknown = userIds.filter((id) => !known.has(id));
    if (unknown.length > 0) {
      throw badRequest('UNKNOWN_USERS', `There are no users with these ids: ${unknown.slice(0, 10).join(', ')}`);
    }
    const [first] = userIds;
    if (first !== undefined && userIds.length === 1 && title === undefined) return this.openDirect(actor, first);
    const refusing = await this.refusing(actor, 'addToGroup', userIds);
    if (refusing.length > 0) {
      throw forbidden('CANNOT_ADD_USERS', `You cannot add these users: ${refusing.slice(0, 10).join(', ')}`);
    }
    const group = this.newOne({
      type: 'group',
      memberCount: userIds.length + 1,
      ...(title !== undefined && { title }),
    });
    await this.deps.database.inTransaction((session) => this.begin(session, group, actor.id, userIds));
    return group;
  }

  /** One that this user is in. */
  async find(userId: string, id: string): Promise<{ conversation: Conversation; own: Membership } | undefined> {
    const conversationId = new ObjectId(id);
    const [conversation, own] = await Promise.all([
      this.conversations.findOne({ _id: conversationId }),
      this.memberships.findOne({ conversationId, userId: new ObjectId(userId) }),
    ]);
    return conversation && own ? { conversation, own } : undefined;
  }

  private async openDirect(actor: Actor, userId: string): Promise<Conversation> {
    const pair = [actor.id, userId].sort().join(':');
    const existing = await this.conversations.findOne({ pair });
    if (existing) return existing;
    if (!(await this.deps.permissions.can(actor.id, 'message', userId))) {
      throw forbidden('CANNOT_MESSAGE_USER', 'You cannot write to this user.');
    }
    const direct = this.newOne({ type: 'direct', pair, memberCount: 2 });
    try {
      await this.deps.database.inTransaction((session) => this.begin(session, direct, actor.id, [userId]));
      return direct;
    } catch (error) {
      // The other one has opened it at this moment.
      const theirs = isDuplicateKey(error) ? await this.conversations.findOne({ pair }) : undefined;
      if (!theirs) throw error;
      return theirs;
    }
  }

  private newOne(facts: Pick<Conversation, 'type' | 'memberCount' | 'pair' | 'title'>): Conversation {
    const now = this.deps.clock.now();
    return { _id: new ObjectId(), ...facts, lastSeq: 0, createdAt: now, updatedAt: now };
  }

  private async begin(
    session: ClientSession,
    conversation: Conversation,
    ownerId: string,
    userIds: string[],
  ): Promise<void> {
    const { _id, type, createdAt } = conversation;
    const roleOf = (id: string): MemberRole => (type === 'group' && id === ownerId ? 'owner' : 'member');
    const memberIds = [ownerId, ...userIds];
    await this.conversations.insertOne(conversation, { session });
    await this.memberships.insertMany(
      memberIds.map((id) => ({
        _id: new ObjectId(),
        conversationId: _id,
        userId: new ObjectId(id),
        role: roleOf(id),
        joinedAt: createdAt,
        joinedSeq: 0,
        lastReadSeq: 0,
        lastDeliveredSeq: 0,
      })),
      { session },
    );
    const conversationId = _id.toHexString();
    await this.deps.outbox.record(session, conversationCreated, {
      actorId: ownerId,
      entity: { kind: 'conversation', id: conversationId },
      audience: { conversationId, userIds: memberIds },
      data: { conversationId, type, memberIds },
    });
  }

  private async refusing(actor: Actor, permission: Permission, userIds: string[]): Promise<string[]> {
    const allowed = await Promise.all(userIds.map((id) => this.deps.permissions.can(actor.id, permission, id)));
    return userIds.filter((_id, index) => allowed[index] !== true);
  }
}
