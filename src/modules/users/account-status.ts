import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { defineEvent } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { instant, nullable, objectId, shape } from '../../core/http/schema.js';
import { factsOf, userUpdated } from './user.events.js';
import { type Role, type User } from './user.model.js';

/** Nothing can be done with the account until then; `null` where a suspension was lifted. */
export const userSuspended = defineEvent('user.suspended', shape({ userId: objectId(), until: nullable(instant()) }), {
  traced: true,
});

/** What is decided about an account from outside: whether its address is proven, its role, its suspension. */
export class AccountStatus {
  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock }) {}

  /** Notes that mail to the address reaches its owner; once is enough. */
  async confirmEmail(session: ClientSession, userId: ObjectId): Promise<void> {
    const now = this.deps.clock.now();
    const user = await this.users.findOneAndUpdate(
      { _id: userId, emailVerifiedAt: { $exists: false } },
      { $set: { emailVerifiedAt: now, updatedAt: now } },
      { returnDocument: 'after', session },
    );
    if (user) await this.recordUpdate(session, user, userId.toHexString(), ['emailVerified']);
  }

  /**
   * Gives a user another role, suspends them or lifts a suspension.
   * @returns the user before and after, or nothing where there is no such user
   */
  async change(
    session: ClientSession,
    userId: ObjectId,
    actorId: string,
    { role, suspendedUntil }: { role?: Role; suspendedUntil?: Date | null },
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
    if (role !== undefined) await this.recordUpdate(session, after, actorId, ['role']);
    if (suspendedUntil !== undefined) {
      await this.deps.outbox.record(session, userSuspended, {
        ...concerning(after),
        actorId,
        data: { userId: userId.toHexString(), until: suspendedUntil },
      });
    }
    return { before, after };
  }

  /**
   * Holds a user's role until the transaction ends: two admins who take the role from one another at once cannot both
   * succeed.
   * @returns whether the user has the role
   */
  async hold(session: ClientSession, userId: string, role: Role): Promise<boolean> {
    const { matchedCount } = await this.users.updateOne(
      { _id: new ObjectId(userId), role },
      { $set: { updatedAt: this.deps.clock.now() } },
      { session },
    );
    return matchedCount === 1;
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

function concerning({ _id }: User) {
  const id = _id.toHexString();
  return { entity: { kind: 'user', id }, audience: { userIds: [id] } };
}
