import { type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { Remembered } from '../../core/remembered.js';
import { type Visibility } from '../../core/visibility.js';
import { type Departed } from '../users/index.js';
import { userBlocked, userUnblocked } from './block.events.js';
import { type Block, blockCollection } from './block.model.js';

const MOST_USERS = 50_000;

/** Who is hidden from whom: because one of the two has blocked the other, or has given up the account. */
export class BlockList implements Visibility, FeedSubscriber {
  private readonly blocks: Collection<Block>;
  private readonly hidden: Remembered<ReadonlySet<string>>;

  constructor(
    { database, clock }: { database: Database; clock: Clock },
    private readonly departed: Pick<Departed, 'ids'>,
  ) {
    this.blocks = database.collection(blockCollection.name);
    this.hidden = new Remembered({
      clock,
      trustMs: 5 * MINUTE,
      most: MOST_USERS,
      load: async (userId) => new Set(await this.counterparts(new ObjectId(userId))),
    });
  }

  async hiddenFrom(userId: string): Promise<ReadonlySet<string>> {
    const [blocked, departed] = await Promise.all([this.hidden.get(userId), this.departed.ids()]);
    return departed.size === 0 ? blocked : new Set([...blocked, ...departed]);
  }

  async areHidden(oneId: string, otherId: string): Promise<boolean> {
    const [blocked, departed] = await Promise.all([this.hidden.get(oneId), this.departed.ids()]);
    return blocked.has(otherId) || departed.has(oneId) || departed.has(otherId);
  }

  /** Who has given up the account. */
  gone(): Promise<ReadonlySet<string>> {
    return this.departed.ids();
  }

  async hiddenPairs(
    oneIds: Iterable<string>,
    otherIds: Iterable<string>,
  ): Promise<(oneId: string, otherId: string) => boolean> {
    const [ones, others] = [toIds(oneIds), toIds(otherIds)];
    if (ones.length === 0 || others.length === 0) return () => false;
    const found = await this.find({
      $or: [
        { blockerId: { $in: ones }, blockedId: { $in: others } },
        { blockerId: { $in: others }, blockedId: { $in: ones } },
      ],
    });
    const pairs = new Set(
      found.map(({ blockerId, blockedId }) => `${blockerId.toHexString()} ${blockedId.toHexString()}`),
    );
    return (oneId, otherId) => pairs.has(`${oneId} ${otherId}`) || pairs.has(`${otherId} ${oneId}`);
  }

  /** Drops what is remembered of these two, here and now; the other nodes hear it from the feed. */
  forget(oneId: string, otherId: string): void {
    this.hidden.forget(oneId, otherId);
  }

  onEvents(events: DomainEvent[]): void {
    for (const event of events) {
      if (isEvent(event, userBlocked) || isEvent(event, userUnblocked)) {
        this.forget(event.data.blockerId, event.data.blockedId);
      }
    }
  }

  onGap(): void {
    this.hidden.forgetAll();
  }

  private async counterparts(userId: ObjectId): Promise<string[]> {
    const found = await this.find({ $or: [{ blockerId: userId }, { blockedId: userId }] });
    return found.map(({ blockerId, blockedId }) => (blockerId.equals(userId) ? blockedId : blockerId).toHexString());
  }

  private find(filter: Filter<Block>): Promise<Pick<Block, 'blockerId' | 'blockedId'>[]> {
    return this.blocks.find(filter, { projection: { _id: 0, blockerId: 1, blockedId: 1 } }).toArray();
  }
}

function toIds(ids: Iterable<string>): ObjectId[] {
  return [...new Set(ids)].map((id) => new ObjectId(id));
}
