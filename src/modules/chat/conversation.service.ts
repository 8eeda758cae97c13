import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, forbidden } from '../../core/http/problem.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { conversationCreated, conversationHidden, conversationMuted, conversationRenamed } from './chat.events.js';
import {
  type Conversation,
  conversationCollection,
  type MemberRole,
  type Membership,
  membershipCollection,
  pairOf,
} from './conversation.model.js';
import { type Entered } from './gate.js';
import { type Members } from './members.js';

export interface ConversationDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  users: Pick<UserService, 'contacts'>;
  permissions: Permissions;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  members: Members;
}

/** What happened between two users, and when. */
export interface Tie {
  oneId: string;
  otherId: string;
  at: Date;
}

/** Opening conversations, and what is said of them as a whole. */
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
  async open(userId: string, otherIds: string[], title: string | undefined): Promise<string> {
    if (otherIds.includes(userId)) throw badRequest('CANNOT_MESSAGE_YOURSELF', 'A conversation is with others.');
    const [first] = otherIds;
    if (first !== undefined && otherIds.length === 1 && title === undefined) return this.openDirect(userId, first);
    await this.mustBeAddable(userId, otherIds);
    const group = this.newOne({
      type: 'group',
      memberCount: otherIds.length + 1,
      ...(title !== undefined && { title }),
    });
    await this.deps.database.inTransaction((session) => this.begin(session, group, userId, otherIds));
    return group._id.toHexString();
  }

  /**
   * Makes the conversation of two who have connected, and shows it to them again where a block before that had closed
   * it. Within the caller's transaction, without asking who may write to whom.
   */
  async ensureDirect(session: ClientSession, { oneId, otherId, at }: Tie): Promise<void> {
    const existing = await this.conversations.findOne({ pair: pairOf(oneId, otherId) }, { session });
    if (!existing) await this.begin(session, this.newDirect(oneId, otherId), oneId, [otherId]);
    else if (!isOutdated(existing, at)) await this.setHidden(session, existing._id, false, at);
  }

  /**
   * Closes the conversation of two for a block between them. A block that is over closes nothing that was opened since.
   */
  async hideDirect(session: ClientSession, { oneId, otherId, at }: Tie, isOver: boolean): Promise<void> {
    const existing = await this.conversations.findOne({ pair: pairOf(oneId, otherId) }, { session });
    if (!existing || (isOver && isOutdated(existing, at))) return;
    await this.setHidden(session, existing._id, true, at);
  }

  /** Gives a group another title. */
  async rename({ conversationId }: Entered, title: string): Promise<void> {
    const { database, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const changedAt = clock.now();
      const _id = new ObjectId(conversationId);
      const { modifiedCount } = await this.conversations.updateOne(
        { _id, title: { $ne: title } },
        { $set: { title, changedAt } },
        { session },
      );
      if (modifiedCount === 0) return;
      await outbox.record(session, conversationRenamed, { ...about(conversationId), data: { conversationId, title } });
    });
  }

  /** Until when one wants to hear nothing of it; what is said is there all the same. */
  async mute(userId: string, { conversationId }: Entered, until: Date | null): Promise<void> {
    const { database, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const own = { conversationId: new ObjectId(conversationId), userId: new ObjectId(userId) };
      const changedAt = clock.now();
      const change = until
        ? { $set: { mutedUntil: until, changedAt } }
        : { $set: { changedAt }, $unset: { mutedUntil: 1 as const } };
      await this.memberships.updateOne(own, change, { session });
      await outbox.record(session, conversationMuted, {
        entity: { kind: 'membership', id: conversationId },
        audience: { userIds: [userId] },
        data: { conversationId, userId },
      });
    });
  }

  /** @throws Problem 400 `UNKNOWN_USERS`, 403 `CANNOT_ADD_USERS` */
  async mustBeAddable(userId: string, otherIds: string[]): Promise<void> {
    await this.mustExist(userId, otherIds);
    const allowed = await Promise.all(otherIds.map((id) => this.deps.permissions.can(userId, 'addToGroup', id)));
    const refusing = otherIds.filter((_id, index) => allowed[index] !== true);
    if (refusing.length === 0) return;
    throw forbidden('CANNOT_ADD_USERS', `You cannot add these users: ${refusing.slice(0, 10).join(', ')}`);
  }

  /** Whom a block parts from the user does not exist for them. */
  private async mustExist(userId: string, otherIds: string[]): Promise<void> {
    const { users, visibility } = this.deps;
    const [known, hidden] = await Promise.all([users.contacts(otherIds), visibility.hiddenFrom(userId)]);
    const unknown = otherIds.filter((id) => !known.has(id) || hidden.has(id));
    if (unknown.length === 0) return;
    throw badRequest('UNKNOWN_USERS', `There are no users with these ids: ${unknown.slice(0, 10).join(', ')}`);
  }

  private async openDirect(userId: string, otherId: string): Promise<string> {
    await this.mustExist(userId, [otherId]);
    const pair = pairOf(userId, otherId);
    const existing = await this.conversations.findOne({ pair });
    const isThere = existing && !(await this.memberships.findOne(hiddenIn(existing._id), { projection: { _id: 1 } }));
    if (isThere !== true && !(await this.deps.permissions.can(userId, 'message', otherId))) {
      throw forbidden('CANNOT_MESSAGE_USER', 'You cannot write to this user.');
    }
    const direct = existing ?? this.newDirect(userId, otherId);
    const id = direct._id.toHexString();
    try {
      await this.deps.database.inTransaction((session) =>
        // Also where it is there: a block that was taken back may still be about to close it.
        existing
          ? this.setHidden(session, direct._id, false, this.deps.clock.now())
          : this.begin(session, direct, userId, [otherId]),
      );
      this.deps.members.forget(id);
      return id;
    } catch (error) {
      // The other one has opened it at this moment.
      const theirs = isDuplicateKey(error) ? await this.conversations.findOne({ pair }) : undefined;
      if (!theirs) throw error;
      return theirs._id.toHexString();
    }
  }

  private newDirect(oneId: string, otherId: string): Conversation {
    return this.newOne({ type: 'direct', pair: pairOf(oneId, otherId), memberCount: 2 });
  }

  private newOne(facts: Pick<Conversation, 'type' | 'memberCount' | 'pair' | 'title'>): Conversation {
    const now = this.deps.clock.now();
    return { _id: new ObjectId(), ...facts, lastSeq: 0, createdAt: now, updatedAt: now, changedAt: now };
  }

  private async begin(
    session: ClientSession,
    conversation: Conversation,
    ownerId: string,
    otherIds: string[],
  ): Promise<void> {
    const { _id, type, createdAt } = conversation;
    const roleOf = (id: string): MemberRole => (type === 'group' && id === ownerId ? 'owner' : 'member');
    const memberIds = [ownerId, ...otherIds];
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
        changedAt: createdAt,
      })),
      { session },
    );
    const conversationId = _id.toHexString();
    await this.deps.outbox.record(session, conversationCreated, {
      actorId: ownerId,
      ...about(conversationId, memberIds),
      data: { conversationId, type, memberIds },
    });
  }

  private async setHidden(session: ClientSession, _id: ObjectId, hidden: boolean, at: Date): Promise<void> {
    const changedAt = this.deps.clock.now();
    await this.conversations.updateOne({ _id }, { $max: { tiedAt: at } }, { session });
    const { modifiedCount } = await this.memberships.updateMany(
      { conversationId: _id, hiddenAt: { $exists: !hidden } },
      hidden ? { $set: { hiddenAt: changedAt, changedAt } } : { $set: { changedAt }, $unset: { hiddenAt: 1 } },
      { session },
    );
    if (modifiedCount === 0) return;
    const conversationId = _id.toHexString();
    await this.deps.outbox.record(session, conversationHidden, {
      ...about(conversationId),
      data: { conversationId, hidden },
    });
  }
}

/** Whether it was opened or closed for something later. */
function isOutdated({ tiedAt }: Conversation, at: Date): boolean {
  return tiedAt !== undefined && tiedAt > at;
}

function hiddenIn(conversationId: ObjectId) {
  return { conversationId, hiddenAt: { $exists: true } };
}

function about(conversationId: string, userIds?: string[]) {
  return {
    entity: { kind: 'conversation', id: conversationId },
    audience: { conversationId, ...(userIds && { userIds }) },
  };
}
