import { type ClientSession, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { defineEvent } from '../../core/events/event.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict } from '../../core/http/problem.js';
import { instant, nullable, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { factsOf, userUpdated } from './user.events.js';
import { type Role, ROLES, type User } from './user.model.js';

/** Nothing can be done with the account until then; `null` where a suspension was lifted. */
export const userSuspended = defineEvent(
  'user.suspended',
  shape({ userId: objectId(), until: nullable(instant()) }, { reason: text() }),
  { traced: true },
);

/** An admin gave a user another role. */
export const userRoleChanged = defineEvent(
  'user.roleChanged',
  shape({ userId: objectId(), role: oneOf(ROLES), previous: oneOf(ROLES) }, { reason: text() }),
  { traced: true },
);

/** What an admin decides about an account. */
export interface AccountDecision {
  role?: Role;
  /** `null` lifts a suspension. */
  suspendedUntil?: Date | null;
  reason?: string;
}

/** What is decided about an account from outside: whether its address is proven, its role, its suspension. */
export class AccountStatus {
  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock }) {}

  /**
   * Notes that mail to the address reaches its owner; once is enough.
   * @returns whether that was not known before
   */
  async confirmEmail(session: ClientSession, userId: ObjectId): Promise<boolean> {
    const now = this.deps.clock.now();
    const user = await this.users.findOneAndUpdate(
      { _id: userId, emailVerifiedAt: { $exists: false } },
      { $set: { emailVerifiedAt: now, updatedAt: now } },
      { returnDocument: 'after', session },
    );
    if (user) await this.recordUpdate(session, user, userId.toHexString(), ['emailVerified']);
    return user !== null;
  }

  /**
   * Gives a user another address, which has proven to be theirs.
   * @returns the address before, or nothing where there is no such user
   * @throws Problem 409 `EMAIL_TAKEN`
   */
  async changeEmail(session: ClientSession, userId: ObjectId, email: string): Promise<string | undefined> {
    const now = this.deps.clock.now();
    const set = { email, emailVerifiedAt: now, updatedAt: now };
    try {
      const before = await this.users.findOneAndUpdate(
        { _id: userId },
        { $set: set },
        { returnDocument: 'before', session },
      );
      if (!before) return undefined;
      await this.recordUpdate(session, { ...before, ...set }, userId.toHexString(), ['email']);
      return before.email;
    } catch (error) {
      if (isDuplicateKey(error)) throw conflict('EMAIL_TAKEN', 'There is an account with this e-mail address.');
      throw error;
    }
  }

  /**
   * Gives a user another role, suspends them or lifts a suspension; what is so already is no change.
   * @returns the user before and after, or nothing where there is no such user
   */
  async change(
    session: ClientSession,
    userId: ObjectId,
    actorId: string,
    { role, suspendedUntil, reason }: AccountDecision,
  ): Promise<{ before: User; after: User } | undefined> {
    const set = {
      ...(role !== undefined && { role }),
      ...(suspendedUntil && { suspendedUntil }),
      updatedAt: this.deps.clock.now(),
    };
    const before = await this.users.findOneAndUpdate(
      { _id: userId },
      { $set: set, ...(suspendedUntil === null && { $unset: { suspendedUntil: 1 as const } }) },
      { returnDocument: 'before', session },
    );
    const after = before && (await this.users.findOne({ _id: userId }, { session }));
    if (!before || !after) return undefined;
    const { outbox } = this.deps;
    const about = { ...concerning(after), actorId };
    const why = reason === undefined ? {} : { reason };
    if (after.role !== before.role) {
      await this.recordUpdate(session, after, actorId, ['role']);
      const data = { userId: userId.toHexString(), role: after.role, previous: before.role, ...why };
      await outbox.record(session, userRoleChanged, { ...about, data });
    }
    const [from, until] = [before.suspendedUntil ?? null, after.suspendedUntil ?? null];
    if (from?.getTime() !== until?.getTime()) {
      await outbox.record(session, userSuspended, { ...about, data: { userId: userId.toHexString(), until, ...why } });
    }
    return { before, after };
  }

  /**
   * Holds a user's role until the transaction ends: two admins who take the role from one another at once cannot both
   * succeed, nor can two who suspend one another.
   * @returns whether the user has the role and can use it: is neither suspended nor has given up the account
   */
  async hold(session: ClientSession, userId: string, role: Role): Promise<boolean> {
    const now = this.deps.clock.now();
    const user = { _id: new ObjectId(userId), role, ...active(now) };
    const { matchedCount } = await this.users.updateOne(user, { $set: { updatedAt: now } }, { session });
    return matchedCount === 1;
  }

  /**
   * Makes sure that an admin is left when this user has gone, and holds that one until the transaction ends: of two
   * admins who leave at once, the second finds nobody.
   * @throws Problem 409 `LAST_ADMIN`
   */
  async requireAnotherAdmin(session: ClientSession, userId: string): Promise<void> {
    const now = this.deps.clock.now();
    const _id = new ObjectId(userId);
    const leaving = await this.users.findOne({ _id, role: 'admin' }, { session, projection: { _id: 1 } });
    if (!leaving) return;
    const another: Filter<User> = { _id: { $ne: _id }, role: 'admin', ...active(now) };
    const { matchedCount } = await this.users.updateOne(another, { $set: { updatedAt: now } }, { session });
    if (matchedCount === 0) throw conflict('LAST_ADMIN', 'You are the only admin. Make someone else one first.');
  }

  private async recordUpdate(session: ClientSession, user: User, actorId: string, changed: string[]): Promise<void> {
    await this.deps.outbox.record(session, userUpdated, {
      ...concerning(user),
      actorId,
      data: { ...factsOf(user), changed },
    });
  }

  private get users() {
    return this.deps.database.collection<User>('users');
  }
}

/** Who can use the account now. */
function active(now: Date): Filter<User> {
  return { deletion: { $exists: false }, $or: [{ suspendedUntil: null }, { suspendedUntil: { $lte: now } }] };
}

function concerning({ _id }: User) {
  const id = _id.toHexString();
  return { entity: { kind: 'user', id }, audience: { userIds: [id] } };
}
