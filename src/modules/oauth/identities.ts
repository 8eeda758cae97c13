import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type EventType } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { identityLinked, identityUnlinked } from './oauth.events.js';
import { type Identity, identityCollection } from './oauth.models.js';
import { type Profile, type ProviderName } from './providers/index.js';

/** Which of a provider's accounts signs in to which of ours. */
export class Identities {
  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock }) {}

  /** Those of a user, the first linked first. */
  list(userId: string): Promise<Identity[]> {
    return this.rows
      .find({ userId: new ObjectId(userId) })
      .sort({ linkedAt: 1 })
      .toArray();
  }

  /** Finds whom someone signs in as, and notes it. Written, so that one that is being removed lets nobody in any more. */
  async signIn(
    session: ClientSession,
    provider: ProviderName,
    { subject, email }: Profile,
  ): Promise<Identity | undefined> {
    const set = { lastSignInAt: this.deps.clock.now(), ...(email !== undefined && { email }) };
    return (await this.rows.findOneAndUpdate({ provider, subject }, { $set: set }, { session })) ?? undefined;
  }

  /** Whether a user has one of that provider already. */
  async has(session: ClientSession, userId: ObjectId, provider: ProviderName): Promise<boolean> {
    return (await this.rows.findOne({ userId, provider }, { session, projection: { _id: 1 } })) !== null;
  }

  async link(
    session: ClientSession,
    userId: ObjectId,
    provider: ProviderName,
    { subject, email, isNewAccount }: Pick<Profile, 'subject' | 'email'> & { isNewAccount: boolean },
  ): Promise<void> {
    const now = this.deps.clock.now();
    const identity: Identity = {
      _id: new ObjectId(),
      userId,
      provider,
      subject,
      ...(email !== undefined && { email }),
      linkedAt: now,
      lastSignInAt: now,
      revision: 0,
    };
    await this.rows.insertOne(identity, { session });
    await this.record(session, identityLinked, identity, { isNewAccount });
  }

  /** @returns whether there was one */
  async unlink(session: ClientSession, userId: ObjectId, provider: ProviderName): Promise<boolean> {
    const identity = await this.rows.findOneAndDelete({ userId, provider }, { session });
    if (!identity) return false;
    await this.record(session, identityUnlinked, identity, {});
    return true;
  }

  /** Whether a user has any, none of which can be removed at the same time. */
  async hold(session: ClientSession, userId: ObjectId): Promise<boolean> {
    const { matchedCount } = await this.rows.updateMany({ userId }, { $inc: { revision: 1 } }, { session });
    return matchedCount > 0;
  }

  /** Removes all that a user has. */
  async unlinkAll(session: ClientSession, userId: ObjectId): Promise<void> {
    const found = await this.rows.find({ userId }, { session }).toArray();
    for (const { provider } of found) await this.unlink(session, userId, provider);
  }

  private async record<Extra extends object>(
    session: ClientSession,
    type: EventType<{ userId: string; identityId: string; provider: ProviderName } & Extra>,
    { _id, userId: owner, provider }: Identity,
    extra: Extra,
  ): Promise<void> {
    const [identityId, userId] = [_id.toHexString(), owner.toHexString()];
    await this.deps.outbox.record(session, type, {
      actorId: userId,
      entity: { kind: 'identity', id: identityId },
      audience: { userIds: [userId] },
      data: { userId, identityId, provider, ...extra },
    });
  }

  private get rows() {
    return this.deps.database.collection<Identity>(identityCollection.name);
  }
}
