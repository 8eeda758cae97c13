import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type EventType } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest } from '../../core/http/problem.js';
import { SerialByKey } from '../../core/serial.js';
import { type Visibility } from '../../core/visibility.js';
import { followEnded, followStarted } from './follow.events.js';
import { type Follow, followCollection, type FollowTarget } from './follow.model.js';

export interface FollowDeps {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
  visibility: Visibility;
}

interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** Who follows what. */
export class FollowService {
  private readonly follows: Collection<Follow>;
  private readonly perFollower = new SerialByKey();

  constructor(private readonly deps: FollowDeps) {
    this.follows = deps.database.collection(followCollection.name);
  }

  /**
   * Begins to follow; doing it again changes nothing.
   * @throws Problem 400 `CANNOT_FOLLOW_YOURSELF`
   */
  start(actorId: string, { kind, target }: FollowTarget): Promise<Follow> {
    if (kind === 'user' && target === actorId) throw badRequest('CANNOT_FOLLOW_YOURSELF', 'Follow somebody else.');
    const { database, clock } = this.deps;
    const key = { followerId: new ObjectId(actorId), kind, target };
    return this.perFollower.run(actorId, () =>
      database.inTransaction(async (session) => {
        const existing = await this.follows.findOne(key, { session });
        if (existing) return existing;
        const follow: Follow = { _id: new ObjectId(), ...key, createdAt: clock.now() };
        await this.follows.insertOne(follow, { session });
        await this.record(session, followStarted, follow, actorId);
        return follow;
      }),
    );
  }

  /** Ends a follow; without one nothing changes. */
  async stop(actorId: string, target: FollowTarget): Promise<void> {
    await this.deps.database.inTransaction((session) => this.end(session, actorId, target, actorId));
  }

  /** Ends the follows between two users, or those begun before `until`, within the caller's transaction. */
  async sever(session: ClientSession, oneId: string, otherId: string, until?: Date): Promise<void> {
    await this.end(session, oneId, { kind: 'user', target: otherId }, oneId, until);
    await this.end(session, otherId, { kind: 'user', target: oneId }, oneId, until);
  }

  /** Ends what a user follows and who follows them, each in a transaction of its own. */
  async endAll(userId: string): Promise<void> {
    const either = { $or: [{ followerId: new ObjectId(userId) }, { kind: 'user' as const, target: userId }] };
    for await (const { followerId, kind, target } of this.follows.find(either)) {
      await this.deps.database.inTransaction((session) =>
        this.end(session, followerId.toHexString(), { kind, target }, userId),
      );
    }
  }

  /** Who follows the user, the newest first. */
  async followers(userId: string, page: PageQuery): Promise<Page<Follow>> {
    const hidden = [...(await this.deps.visibility.hiddenFrom(userId))].map((id) => new ObjectId(id));
    const filter = { kind: 'user' as const, target: userId, followerId: { $nin: hidden } };
    return this.page(`followers of ${userId}`, filter, page);
  }

  /** What the user follows, the newest first. */
  async following(userId: string, page: PageQuery): Promise<Page<Follow>> {
    const hidden = [...(await this.deps.visibility.hiddenFrom(userId))];
    // A hashtag that looks like a hidden user's id is left out as well, which nobody will miss.
    const filter = { followerId: new ObjectId(userId), target: { $nin: hidden } };
    return this.page(`followed by ${userId}`, filter, page);
  }

  private page(scope: string, filter: Filter<Follow>, page: PageQuery): Promise<Page<Follow>> {
    return this.deps.pager.page<Follow>({ collection: this.follows, filter, sort: [['_id', -1]], scope, ...page });
  }

  private async end(
    session: ClientSession,
    followerId: string,
    { kind, target }: FollowTarget,
    actorId: string,
    until?: Date,
  ): Promise<void> {
    const begun = until ? { createdAt: { $lte: until } } : {};
    const key = { followerId: new ObjectId(followerId), kind, target, ...begun };
    const ended = await this.follows.findOneAndDelete(key, { session });
    if (ended) await this.record(session, followEnded, ended, actorId);
  }

  private record(
    session: ClientSession,
    type: EventType<ReturnType<typeof factsOf>>,
    follow: Follow,
    actorId: string,
  ): Promise<void> {
    const data = factsOf(follow);
    const userIds = follow.kind === 'user' ? [data.followerId, follow.target] : [data.followerId];
    return this.deps.outbox.record(session, type, {
      actorId,
      entity: { kind: 'follow', id: data.followId },
      audience: { userIds },
      data,
    });
  }
}

function factsOf({ _id, followerId, kind, target }: Follow) {
  return { followId: _id.toHexString(), followerId: followerId.toHexString(), kind, target };
}
