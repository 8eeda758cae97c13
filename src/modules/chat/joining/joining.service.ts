import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { notFound } from '../../../core/http/problem.js';
import { type Visibility } from '../../../core/visibility.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
} from '../conversation.model.js';
import { type Entered } from '../gate.js';
import { type MemberService } from '../member.service.js';
import { type Members } from '../members.js';
import { type Invitation } from './invitation.model.js';
import { type InvitationService } from './invitation.service.js';
import { type JoinRequests } from './join-requests.js';

export interface JoiningDeps {
  database: Database;
  invitations: InvitationService;
  requests: JoinRequests;
  members: MemberService;
  rosters: Members;
  visibility: Pick<Visibility, 'hiddenPairs'>;
}

/** How a user stands to a group. */
export const STANDINGS = ['none', 'requested', 'member'] as const;
export type Standing = (typeof STANDINGS)[number];

/** A link as it is shown to whoever has followed it. */
export interface Previewed {
  invitation: Invitation;
  conversation: Conversation;
  standing: Standing;
}

/** Coming into a group by oneself: by a link at once, or by asking its admins. */
export class Joining {
  private readonly conversations: Collection<Conversation>;
  private readonly memberships: Collection<Membership>;

  constructor(private readonly deps: JoiningDeps) {
    this.conversations = deps.database.collection(conversationCollection.name);
    this.memberships = deps.database.collection(membershipCollection.name);
  }

  /** What a link stands for, also where it has ended; for whom a block parts from the owner it stands for nothing. */
  async find(userId: string, token: string): Promise<Invitation | undefined> {
    const invitation = await this.deps.invitations.find(token);
    if (!invitation || (await this.isShut(invitation.conversationId, userId))) return undefined;
    return invitation;
  }

  /** @throws Problem 410 `INVITATION_REVOKED`, `INVITATION_EXPIRED`, `INVITATION_USED_UP` */
  async preview(userId: string, invitation: Invitation): Promise<Previewed> {
    this.deps.invitations.mustBeOpen(invitation);
    const { conversationId } = invitation;
    const id = conversationId.toHexString();
    const [conversation, isMember, request] = await Promise.all([
      this.conversations.findOne({ _id: conversationId }),
      this.isMember(conversationId, userId),
      this.deps.requests.of(id, userId),
    ]);
    if (!conversation) throw new Error('a group that was just found has an owner and is there');
    return { invitation, conversation, standing: isMember ? 'member' : request?.askedAt ? 'requested' : 'none' };
  }

  /**
   * Follows a link. Who is in the group already stays as they are, and who waits goes on waiting: neither counts as a
   * use. Whom an admin has rejected or taken out of the group has to be let in, whatever the link says.
   * @throws Problem 404 `INVITATION_NOT_FOUND`, 409 `GROUP_FULL`, 410 `INVITATION_REVOKED`, `INVITATION_EXPIRED`,
   *   `INVITATION_USED_UP`
   */
  async join(userId: string, invitation: Invitation): Promise<Exclude<Standing, 'none'>> {
    const { conversationId } = invitation;
    const { database, invitations, requests, members } = this.deps;
    const id = conversationId.toHexString();
    return this.change(id, () =>
      database.inTransaction(async (session) => {
        if (await this.isMember(conversationId, userId, session)) return 'member';
        const request = await requests.of(id, userId, session);
        const mustAsk = invitation.needsApproval || request?.turnedAwayAt !== undefined;
        if (mustAsk && request?.askedAt) return 'requested';
        await invitations.use(session, invitation);
        if (mustAsk) await requests.ask(session, id, userId);
        else await members.admit(session, id, [userId], userId);
        // Asked last: a block that comes later finds what is done here, and undoes it.
        if (await this.isShut(conversationId, userId)) throw notFound('INVITATION_NOT_FOUND');
        return mustAsk ? 'requested' : 'member';
      }),
    );
  }

  /**
   * Lets in someone who has asked; of two admins at once one is first.
   * @throws Problem 404 `REQUEST_NOT_FOUND`, 409 `GROUP_FULL`
   */
  async accept(actorId: string, { conversationId, hidden }: Entered, userId: string): Promise<void> {
    const { database, requests, members } = this.deps;
    await this.change(conversationId, () =>
      database.inTransaction(async (session) => {
        const request = hidden.has(userId) ? undefined : await requests.of(conversationId, userId, session);
        if (!request?.askedAt) throw noRequest();
        await members.admit(session, conversationId, [userId], actorId);
        if (await this.isShut(new ObjectId(conversationId), userId)) throw noRequest();
      }),
    );
  }

  /** @throws Problem 404 `REQUEST_NOT_FOUND` */
  async reject(actorId: string, { conversationId, hidden }: Entered, userId: string): Promise<void> {
    const { database, requests } = this.deps;
    await database.inTransaction(async (session) => {
      const isDone = !hidden.has(userId) && (await requests.reject(session, conversationId, userId, actorId));
      if (!isDone) throw noRequest();
    });
  }

  /**
   * Takes one’s own request back.
   * @throws Problem 404 `REQUEST_NOT_FOUND`
   */
  async withdraw(userId: string, conversationId: string): Promise<void> {
    const { database, requests } = this.deps;
    await database.inTransaction(async (session) => {
      if (!(await requests.withdraw(session, conversationId, userId))) throw noRequest();
    });
  }

  /** Whether a group lets nobody in, or not this one: nobody owns it any more, or a block parts them from its owner. */
  private async isShut(conversationId: ObjectId, userId: string): Promise<boolean> {
    // Of at most a thousand members, from the index of a group’s members.
    const owner = await this.memberships.findOne({ conversationId, role: 'owner', leftAt: { $exists: false } });
    if (!owner) return true;
    const ownerId = owner.userId.toHexString();
    return (await this.deps.visibility.hiddenPairs([ownerId], [userId]))(ownerId, userId);
  }

  private async isMember(conversationId: ObjectId, userId: string, session?: ClientSession): Promise<boolean> {
    const own = { conversationId, userId: new ObjectId(userId), leftAt: { $exists: false } };
    const found = await this.memberships.findOne(own, { projection: { _id: 1 }, ...(session && { session }) });
    return found !== null;
  }

  private async change<T>(conversationId: string, work: () => Promise<T>): Promise<T> {
    const result = await work();
    this.deps.rosters.forget(conversationId);
    return result;
  }
}

function noRequest(): Error {
  return notFound('REQUEST_NOT_FOUND', 'There is no such request.');
}
