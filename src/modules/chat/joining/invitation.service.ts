import { createHash, randomBytes } from 'node:crypto';
import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock, DAY, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type EventType } from '../../../core/events/event.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Page, type Pager } from '../../../core/http/paging.js';
import { badRequest, notFound, Problem } from '../../../core/http/problem.js';
import { invitationCreated, invitationRevoked } from '../chat.events.js';
import { type Invitation, invitationCollection } from './invitation.model.js';

export interface NewInvitation {
  needsApproval: boolean;
  expiresAt?: Date | undefined;
  maxUses?: number | undefined;
}

export interface InvitationDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  pager: Pager;
}

const SECRET_BYTES = 32;
const LASTS_MS = 7 * DAY;
const LASTS_AT_MOST_MS = 365 * DAY;

/** The links into a group: making, finding and revoking them. */
export class InvitationService {
  private readonly invitations: Collection<Invitation>;

  constructor(private readonly deps: InvitationDeps) {
    this.invitations = deps.database.collection(invitationCollection.name);
  }

  /**
   * Makes a link; only this once can its secret be read.
   * @throws Problem 400 `INVALID_EXPIRY`
   */
  async create(
    actorId: string,
    conversationId: string,
    { needsApproval, expiresAt, maxUses }: NewInvitation,
  ): Promise<{ invitation: Invitation; token: string }> {
    const { database, clock } = this.deps;
    const now = clock.now();
    const end = expiresAt ?? later(now, LASTS_MS);
    if (end <= now || end > later(now, LASTS_AT_MOST_MS)) {
      throw badRequest('INVALID_EXPIRY', 'An invitation ends at a time to come, and within a year.');
    }
    const token = randomBytes(SECRET_BYTES).toString('base64url');
    const invitation: Invitation = {
      _id: new ObjectId(),
      conversationId: new ObjectId(conversationId),
      createdBy: new ObjectId(actorId),
      hash: hashOf(token),
      needsApproval,
      uses: 0,
      ...(maxUses !== undefined && { maxUses }),
      createdAt: now,
      expiresAt: end,
    };
    await database.inTransaction(async (session) => {
      await this.invitations.insertOne(invitation, { session });
      await this.record(session, invitationCreated, invitation, actorId);
    });
    return { invitation, token };
  }

  /** A group’s links, those that have ended too, the newest first. */
  list(conversationId: string, query: { limit: number; cursor?: string | undefined }): Promise<Page<Invitation>> {
    return this.deps.pager.page<Invitation>({
      collection: this.invitations,
      filter: { conversationId: new ObjectId(conversationId) },
      sort: [['_id', -1]],
      scope: `invitations to ${conversationId}`,
      ...query,
    });
  }

  /**
   * Ends a link at once; again it changes nothing.
   * @throws Problem 404 `INVITATION_NOT_FOUND`
   */
  async revoke(actorId: string, conversationId: string, invitationId: string): Promise<void> {
    const { database, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const which = { _id: new ObjectId(invitationId), conversationId: new ObjectId(conversationId) };
      const found = await this.invitations.findOne(which, { session });
      if (!found) throw notFound('INVITATION_NOT_FOUND', 'There is no such invitation.');
      if (found.revokedAt) return;
      await this.invitations.updateOne(which, { $set: { revokedAt: clock.now() } }, { session });
      await this.record(session, invitationRevoked, found, actorId);
    });
  }

  /** The one that a link stands for, also where it has ended. */
  async find(token: string): Promise<Invitation | undefined> {
    return (await this.invitations.findOne({ hash: hashOf(token) })) ?? undefined;
  }

  /**
   * Counts one who comes by it. What is read is written as well, so that of many at once each sees the one before.
   * @throws Problem 410 `INVITATION_REVOKED`, `INVITATION_EXPIRED`, `INVITATION_USED_UP`
   */
  async use(session: ClientSession, { _id }: Invitation): Promise<void> {
    const now = await this.invitations.findOne({ _id }, { session });
    if (!now) throw ended('EXPIRED', 'This invitation has expired.');
    this.mustBeOpen(now);
    await this.invitations.updateOne({ _id }, { $inc: { uses: 1 } }, { session });
  }

  /** @throws Problem 410 `INVITATION_REVOKED`, `INVITATION_EXPIRED`, `INVITATION_USED_UP` */
  mustBeOpen({ revokedAt, expiresAt, uses, maxUses = Infinity }: Invitation): void {
    if (revokedAt) throw ended('REVOKED', 'This invitation was revoked.');
    if (expiresAt <= this.deps.clock.now()) throw ended('EXPIRED', 'This invitation has expired.');
    if (uses >= maxUses) throw ended('USED_UP', 'As many as could have come by this invitation.');
  }

  private record(
    session: ClientSession,
    type: EventType<{ conversationId: string; invitationId: string }>,
    { _id, conversationId }: Invitation,
    actorId: string,
  ): Promise<void> {
    const invitationId = _id.toHexString();
    return this.deps.outbox.record(session, type, {
      actorId,
      entity: { kind: 'invitation', id: invitationId },
      data: { conversationId: conversationId.toHexString(), invitationId },
    });
  }
}

function ended(how: 'REVOKED' | 'EXPIRED' | 'USED_UP', detail: string): Problem {
  return new Problem({ status: 410, code: `INVITATION_${how}`, detail });
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
