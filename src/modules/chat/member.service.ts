import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict, forbidden, notFound } from '../../core/http/problem.js';
import { memberLeft, memberRoleChanged, membersJoined } from './chat.events.js';
import {
  type Conversation,
  conversationCollection,
  type MemberRole,
  type Membership,
  membershipCollection,
  MOST_MEMBERS,
} from './conversation.model.js';
import { OWNER_ONLY } from './conversation.policy.js';
import { type ConversationService } from './conversation.service.js';
import { type Entered } from './gate.js';
import { type JoinRequests } from './joining/join-requests.js';
import { type Members } from './members.js';
import { type Message, messageCollection } from './message.model.js';

export interface MemberDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  conversations: ConversationService;
  members: Members;
  requests: JoinRequests;
}

const RANK: Record<MemberRole, number> = { owner: 2, admin: 1, member: 0 };

/** Who is in a group. */
export class MemberService {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;
  private readonly messages: Collection<Message>;

  constructor(private readonly deps: MemberDeps) {
    this.conversations = deps.database.collection(conversationCollection.name);
    this.memberships = deps.database.collection(membershipCollection.name);
    this.messages = deps.database.collection(messageCollection.name);
  }

  /**
   * Adds users to a group; they see what is said from then on. Who is in it already stays as they are.
   * @throws Problem 400 `UNKNOWN_USERS`, 403 `CANNOT_ADD_USERS`, 409 `GROUP_FULL`
   */
  async add(userId: string, { conversationId, members, hidden }: Entered, userIds: string[]): Promise<void> {
    const strangers = userIds.filter((id) => !members.has(id) || hidden.has(id));
    await this.deps.conversations.mustBeAddable(userId, strangers);
    if (strangers.length === 0) return;
    await this.change(conversationId, (session) => this.admit(session, conversationId, strangers, userId));
  }

  /**
   * Makes users members within the caller's transaction, whoever they are. Who is in it already stays as they are.
   * @throws Problem 409 `GROUP_FULL`
   */
  async admit(session: ClientSession, conversationId: string, userIds: string[], actorId: string): Promise<void> {
    const _id = new ObjectId(conversationId);
    const inside = new Set((await this.present(session, _id, userIds)).map(({ userId }) => userId.toHexString()));
    const joined = userIds.filter((id) => !inside.has(id));
    if (joined.length === 0) return;
    // First of all writes: whoever adds others at the same moment waits here, and finds then who is in it.
    const { matchedCount } = await this.conversations.updateOne(
      { _id, memberCount: { $lte: MOST_MEMBERS - joined.length } },
      { $inc: { memberCount: joined.length }, $set: { changedAt: this.deps.clock.now() } },
      { session },
    );
    if (matchedCount === 0) throw conflict('GROUP_FULL', `A group has at most ${MOST_MEMBERS} members.`);
    await this.join(session, _id, joined);
    await this.deps.requests.settle(session, _id, joined);
    await this.deps.outbox.record(session, membersJoined, {
      actorId,
      ...about(conversationId, joined),
      data: { conversationId, userIds: joined },
    });
  }

  /**
   * Takes a member out, whom no link lets in again unasked.
   * @throws Problem 404 `MEMBER_NOT_FOUND`, 403 `HIGHER_ROLE` where the other one has as much to say
   */
  async remove(actorId: string, { conversationId, hidden }: Entered, userId: string): Promise<void> {
    if (hidden.has(userId)) throw noMember();
    await this.change(conversationId, async (session) => {
      const [own, other] = await this.rolesOf(session, conversationId, [actorId, userId]);
      if (!other) throw noMember();
      if (!own || RANK[other] >= RANK[own]) {
        throw forbidden('HIGHER_ROLE', 'You can remove those only who have less to say in the group than you.');
      }
      await this.part(session, conversationId, userId);
      await this.deps.requests.keepOut(session, conversationId, userId);
    });
  }

  /** Leaves a group; an owner's place falls to the admin, or else the member, who has been there longest. */
  async leave(userId: string, { conversationId }: Entered): Promise<void> {
    await this.change(conversationId, (session) => this.part(session, conversationId, userId));
  }

  /**
   * Gives a member another role; to make someone the owner is to hand the group over.
   * @throws Problem 404 `MEMBER_NOT_FOUND`, 409 `OWN_ROLE`, 403 `NOT_THE_OWNER` where it was handed over just before
   */
  async setRole(
    actorId: string,
    { conversationId, members, hidden }: Entered,
    userId: string,
    role: MemberRole,
  ): Promise<void> {
    if (hidden.has(userId) || !members.has(userId)) throw noMember();
    if (userId === actorId)
      throw conflict('OWN_ROLE', 'An owner hands the group over by making another one its owner.');
    await this.change(conversationId, async (session) => {
      const roles: [string, MemberRole][] =
        role === 'owner'
          ? [
              [actorId, 'admin'],
              [userId, role],
            ]
          : [[userId, role]];
      // Of two handovers at once one waits here for the other, and finds then who owns the group.
      await this.conversations.updateOne(
        { _id: new ObjectId(conversationId) },
        { $set: { changedAt: this.deps.clock.now() } },
        { session },
      );
      const [own] = await this.rolesOf(session, conversationId, [actorId]);
      if (own !== 'owner') throw forbidden('NOT_THE_OWNER', OWNER_ONLY);
      for (const [id, given] of roles) await this.assign(session, conversationId, id, given);
    });
  }

  /**
   * Takes a user, and their requests, out of the groups that another one owns, as a block asks for.
   * @param until where the block is over: who has come in since then stays
   */
  async removeFromGroupsOf(session: ClientSession, ownerId: string, userId: string, until?: Date): Promise<void> {
    const owned = await this.memberships
      .find({ userId: new ObjectId(ownerId), role: 'owner', leftAt: { $exists: false } }, { session })
      .project<Pick<Membership, 'conversationId'>>({ _id: 0, conversationId: 1 })
      .toArray();
    const conversationId = { $in: owned.map((each) => each.conversationId) };
    const inside = { conversationId, userId: new ObjectId(userId), leftAt: { $exists: false } };
    const theirs = await this.memberships
      .find({ ...inside, ...(until && { joinedAt: { $lte: until } }) }, { session })
      .toArray();
    for (const each of theirs) await this.part(session, each.conversationId.toHexString(), userId);
    for (const id of await this.deps.requests.askedIn(session, conversationId.$in, userId, until)) {
      await this.deps.requests.withdraw(session, id, userId);
    }
  }

  /** Ends a membership within the caller's transaction; where there is none nothing changes. */
  async part(session: ClientSession, conversationId: string, userId: string): Promise<void> {
    const { clock, outbox } = this.deps;
    const now = clock.now();
    const _id = new ObjectId(conversationId);
    const left = await this.memberships.findOneAndUpdate(
      { conversationId: _id, userId: new ObjectId(userId), leftAt: { $exists: false } },
      { $set: { leftAt: now, changedAt: now } },
      { session },
    );
    if (!left) return;
    await this.conversations.updateOne({ _id }, { $inc: { memberCount: -1 }, $set: { changedAt: now } }, { session });
    const heir = left.role === 'owner' ? await this.heirOf(session, _id) : undefined;
    if (heir)
      await this.memberships.updateOne({ _id: heir._id }, { $set: { role: 'owner', changedAt: now } }, { session });
    await outbox.record(session, memberLeft, {
      ...about(conversationId, [userId]),
      data: { conversationId, userId, newOwnerId: heir?.userId.toHexString() ?? null },
    });
  }

  private async heirOf(session: ClientSession, conversationId: ObjectId): Promise<Membership | undefined> {
    const present = { conversationId, leftAt: { $exists: false } };
    const eldest = (role: MemberRole) =>
      this.memberships.findOne({ ...present, role }, { session, sort: { joinedAt: 1, _id: 1 } });
    return (await eldest('admin')) ?? (await eldest('member')) ?? undefined;
  }

  private async assign(
    session: ClientSession,
    conversationId: string,
    userId: string,
    role: MemberRole,
  ): Promise<void> {
    const { clock, outbox } = this.deps;
    const which = { conversationId: new ObjectId(conversationId), userId: new ObjectId(userId) };
    const { matchedCount } = await this.memberships.updateOne(
      { ...which, leftAt: { $exists: false } },
      { $set: { role, changedAt: clock.now() } },
      { session },
    );
    if (matchedCount === 0) throw noMember();
    await outbox.record(session, memberRoleChanged, {
      ...about(conversationId, [userId]),
      data: { conversationId, userId, role },
    });
  }

  /** The roles of users, in their order; undefined of whoever is not in it. */
  private async rolesOf(
    session: ClientSession,
    conversationId: string,
    userIds: string[],
  ): Promise<(MemberRole | undefined)[]> {
    const found = await this.present(session, new ObjectId(conversationId), userIds);
    return userIds.map((id) => found.find(({ userId }) => userId.toHexString() === id)?.role);
  }

  /** Of these users those who are in it. */
  private present(session: ClientSession, conversationId: ObjectId, userIds: string[]): Promise<Membership[]> {
    const userId = { $in: userIds.map((id) => new ObjectId(id)) };
    return this.memberships.find({ conversationId, userId, leftAt: { $exists: false } }, { session }).toArray();
  }

  private async join(session: ClientSession, conversationId: ObjectId, userIds: string[]): Promise<void> {
    const [now, newest] = [
      this.deps.clock.now(),
      await this.messages.findOne({ conversationId }, { session, sort: { seq: -1 }, projection: { seq: 1 } }),
    ];
    const seq = newest?.seq ?? 0;
    const afresh = { role: 'member' as const, joinedAt: now, joinedSeq: seq, changedAt: now };
    await this.memberships.bulkWrite(
      userIds.map((id) => ({
        updateOne: {
          filter: { conversationId, userId: new ObjectId(id) },
          update: {
            $set: { ...afresh, lastReadSeq: seq, lastDeliveredSeq: seq },
            $unset: { leftAt: 1 as const, mutedUntil: 1 as const },
          },
          upsert: true,
        },
      })),
      { session },
    );
  }

  private async change(conversationId: string, work: (session: ClientSession) => Promise<void>): Promise<void> {
    await this.deps.database.inTransaction(work);
    this.deps.members.forget(conversationId);
  }
}

function noMember(): Error {
  return notFound('MEMBER_NOT_FOUND', 'There is no such member.');
}

function about(conversationId: string, userIds: string[]) {
  return { entity: { kind: 'conversation', id: conversationId }, audience: { conversationId, userIds } };
}
