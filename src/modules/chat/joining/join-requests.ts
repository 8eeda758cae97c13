import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type EventType } from '../../../core/events/event.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Page, type Pager } from '../../../core/http/paging.js';
import { joinRejected, joinRequested, joinWithdrawn } from '../chat.events.js';
import { type Conversation, conversationCollection } from '../conversation.model.js';
import { type JoinRequest, joinRequestCollection, WAITING } from './join-request.model.js';

export interface JoinRequestDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  pager: Pager;
}

/** Who waits to be let into which group, and who was turned away. All that changes it is part of a transaction. */
export class JoinRequests {
  private readonly requests: Collection<JoinRequest>;
  private readonly conversations: Collection<Conversation>;

  constructor(private readonly deps: JoinRequestDeps) {
    this.requests = deps.database.collection(joinRequestCollection.name);
    this.conversations = deps.database.collection(conversationCollection.name);
  }

  /** Those who wait to be let in, the longest first, but for those who must not appear. */
  waiting(
    conversationId: string,
    hidden: ReadonlySet<string>,
    query: { limit: number; cursor?: string | undefined },
  ): Promise<Page<JoinRequest>> {
    return this.deps.pager.page<JoinRequest>({
      collection: this.requests,
      filter: { conversationId: new ObjectId(conversationId), ...WAITING, ...without(hidden) },
      sort: [
        ['askedAt', 1],
        ['_id', 1],
      ],
      scope: `requests to join ${conversationId}`,
      ...query,
    });
  }

  /** How many wait, by group; none where it is absent. */
  async counts(conversationIds: ObjectId[], hidden: ReadonlySet<string>): Promise<Map<string, number>> {
    if (conversationIds.length === 0) return new Map();
    const found = await this.requests
      .aggregate<{ _id: ObjectId; count: number }>([
        { $match: { conversationId: { $in: conversationIds }, ...WAITING, ...without(hidden) } },
        { $group: { _id: '$conversationId', count: { $sum: 1 } } },
      ])
      .toArray();
    return new Map(found.map(({ _id, count }) => [_id.toHexString(), count]));
  }

  /** What there is between a user and the door of a group. */
  async of(conversationId: string, userId: string, session?: ClientSession): Promise<JoinRequest | undefined> {
    return (await this.requests.findOne(keyOf(conversationId, userId), { ...(session && { session }) })) ?? undefined;
  }

  /** They wait to be let in from now on. */
  async ask(session: ClientSession, conversationId: string, userId: string): Promise<void> {
    const askedAt = this.deps.clock.now();
    await this.requests.updateOne(keyOf(conversationId, userId), { $set: { askedAt } }, { session, upsert: true });
    await this.tell(session, joinRequested, { conversationId, userId, actorId: userId });
  }

  /** In which of these groups a user waits to be let in, at most since a moment. */
  async askedIn(session: ClientSession, conversationIds: ObjectId[], userId: string, until?: Date): Promise<string[]> {
    const found = await this.requests
      .find(
        {
          conversationId: { $in: conversationIds },
          userId: new ObjectId(userId),
          askedAt: { $exists: true, ...(until && { $lte: until }) },
        },
        { session },
      )
      .toArray();
    return found.map(({ conversationId }) => conversationId.toHexString());
  }

  /** @returns whether they were waiting */
  async reject(session: ClientSession, conversationId: string, userId: string, actorId: string): Promise<boolean> {
    const { matchedCount } = await this.requests.updateOne(
      { ...keyOf(conversationId, userId), ...WAITING },
      { $set: { turnedAwayAt: this.deps.clock.now() }, $unset: { askedAt: 1 } },
      { session },
    );
    if (matchedCount === 0) return false;
    await this.tell(session, joinRejected, { conversationId, userId, actorId });
    return true;
  }

  /**
   * They wait no longer. That they were turned away before is not forgotten.
   * @returns whether they were waiting
   */
  async withdraw(session: ClientSession, conversationId: string, userId: string): Promise<boolean> {
    const key = keyOf(conversationId, userId);
    const before = await this.requests.findOneAndUpdate(
      { ...key, ...WAITING },
      { $unset: { askedAt: 1 } },
      { session },
    );
    if (!before) return false;
    if (!before.turnedAwayAt) await this.requests.deleteOne(key, { session });
    await this.tell(session, joinWithdrawn, { conversationId, userId, actorId: userId });
    return true;
  }

  /** They were taken out of the group: no link lets them in unasked any more. */
  async keepOut(session: ClientSession, conversationId: string, userId: string): Promise<void> {
    const turnedAwayAt = this.deps.clock.now();
    await this.requests.updateOne(keyOf(conversationId, userId), { $set: { turnedAwayAt } }, { session, upsert: true });
  }

  /** They are in the group now: whatever was before is over. */
  async settle(session: ClientSession, conversationId: ObjectId, userIds: string[]): Promise<void> {
    const ids = userIds.map((id) => new ObjectId(id));
    await this.requests.deleteMany({ conversationId, userId: { $in: ids } }, { session });
  }

  /** Records it, and lets the leaders’ clients find it when they ask what has changed. */
  private async tell(
    session: ClientSession,
    type: EventType<{ conversationId: string; userId: string }>,
    { conversationId, userId, actorId }: { conversationId: string; userId: string; actorId: string },
  ): Promise<void> {
    const { clock, outbox } = this.deps;
    const _id = new ObjectId(conversationId);
    await this.conversations.updateOne({ _id }, { $set: { changedAt: clock.now() } }, { session });
    await outbox.record(session, type, {
      actorId,
      entity: { kind: 'conversation', id: conversationId },
      audience: { conversationId, userIds: [userId] },
      data: { conversationId, userId },
    });
  }
}

function keyOf(conversationId: string, userId: string): Pick<JoinRequest, 'conversationId' | 'userId'> {
  return { conversationId: new ObjectId(conversationId), userId: new ObjectId(userId) };
}

function without(hidden: ReadonlySet<string>): object {
  return hidden.size > 0 ? { userId: { $nin: [...hidden].map((id) => new ObjectId(id)) } } : {};
}
