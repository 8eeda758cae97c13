import { randomUUID } from 'node:crypto';
import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { about, userDeleted, userErased, userRestored } from './user.events.js';
import { type User } from './user.model.js';

/** An account that this worker, and no other, is to erase now. */
export interface ClaimedErasure {
  userId: string;
  claim: string;
  /** The steps that are done. */
  done: string[];
}

/** The end of an account: given up, taken back in time, or erased step by step. */
export class DeletionService {
  private readonly users: Collection<User>;

  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock }) {
    this.users = deps.database.collection('users');
  }

  /** Gives the account up within the caller's transaction; once is enough. */
  async begin(session: ClientSession, userId: string, dueAt: Date): Promise<void> {
    const now = this.deps.clock.now();
    const { modifiedCount } = await this.users.updateOne(
      { _id: new ObjectId(userId), deletion: { $exists: false } },
      { $set: { deletion: { requestedAt: now, dueAt, done: [] }, updatedAt: now } },
      { session },
    );
    if (modifiedCount === 0) return;
    await this.deps.outbox.record(session, userDeleted, { ...about(userId), actorId: userId, data: { userId } });
  }

  /**
   * Takes the account back, within the transaction that signs its owner in, if it was given up.
   * @returns whether there is an account to sign in to: not where its erasure has begun
   */
  async takeBack(session: ClientSession, _id: ObjectId): Promise<boolean> {
    const user = await this.users.findOne({ _id }, { session, projection: { deletion: 1 } });
    if (user?.deletion == null) return user !== null;
    const { modifiedCount } = await this.users.updateOne(
      { _id, 'deletion.startedAt': { $exists: false } },
      { $unset: { deletion: 1 }, $set: { updatedAt: this.deps.clock.now() } },
      { session },
    );
    if (modifiedCount === 0) return false;
    const userId = _id.toHexString();
    await this.deps.outbox.record(session, userRestored, { ...about(userId), actorId: userId, data: { userId } });
    return true;
  }

  /** Whether the account is given up at this moment, read beside any transaction. */
  async isGivenUp(userId: string): Promise<boolean> {
    const filter = { _id: new ObjectId(userId), deletion: { $exists: true } };
    return (await this.users.findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  /** Claims the account whose erasure is due for the longest time, for `claimMs`; from then on there is no way back. */
  async claim(claimMs: number): Promise<ClaimedErasure | undefined> {
    const now = this.deps.clock.now();
    const claim = randomUUID();
    const user = await this.users.findOneAndUpdate(
      { 'deletion.dueAt': { $lte: now } },
      {
        $set: { 'deletion.claim': claim, 'deletion.dueAt': later(now, claimMs) },
        $min: { 'deletion.startedAt': now },
      },
      { sort: { 'deletion.dueAt': 1 }, returnDocument: 'after', projection: { deletion: 1 } },
    );
    return user ? { userId: user._id.toHexString(), claim, done: user.deletion?.done ?? [] } : undefined;
  }

  /** Keeps a claim from running out while a step is under way. */
  async renew({ userId, claim }: ClaimedErasure, claimMs: number): Promise<void> {
    const dueAt = later(this.deps.clock.now(), claimMs);
    await this.users.updateOne(this.held(userId, claim), { $set: { 'deletion.dueAt': dueAt } });
  }

  /**
   * Notes that a step is done.
   * @returns whether the claim still holds: if not, another worker has taken the erasure over
   */
  async noteStep({ userId, claim }: ClaimedErasure, step: string): Promise<boolean> {
    const { matchedCount } = await this.users.updateOne(this.held(userId, claim), {
      $addToSet: { 'deletion.done': step },
    });
    return matchedCount === 1;
  }

  /** Removes the account itself, which ends its erasure. */
  async finish({ userId, claim }: ClaimedErasure): Promise<void> {
    await this.deps.database.inTransaction(async (session) => {
      const { deletedCount } = await this.users.deleteOne(this.held(userId, claim), { session });
      if (deletedCount === 0) return;
      await this.deps.outbox.record(session, userErased, { ...about(userId), data: { userId } });
    });
  }

  private held(userId: string, claim: string) {
    return { _id: new ObjectId(userId), 'deletion.claim': claim };
  }
}
