import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type EventType } from '../../core/events/event.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest } from '../../core/http/problem.js';
import { SerialByKey } from '../../core/serial.js';
import { type BlockList } from './block-list.js';
import { userBlocked, userUnblocked } from './block.events.js';
import { type Block, blockCollection } from './block.model.js';

export interface BlockDeps {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
  blockList: BlockList;
}

/** Blocking and unblocking. What follows from a block is for the listeners of `user.blocked`. */
export class BlockService {
  private readonly blocks: Collection<Block>;
  private readonly perBlocker = new SerialByKey();

  constructor(private readonly deps: BlockDeps) {
    this.blocks = deps.database.collection(blockCollection.name);
  }

  /** Whether the user has blocked the other one: what they know themselves. */
  async hasBlocked(blockerId: string, blockedId: string): Promise<boolean> {
    return (await this.blocks.findOne(keyOf(blockerId, blockedId), { projection: { _id: 1 } })) !== null;
  }

  /**
   * Blocks a user; doing it again changes nothing.
   * @throws Problem 400 `CANNOT_BLOCK_YOURSELF`
   */
  async block(actorId: string, userId: string): Promise<Block> {
    if (actorId === userId) throw badRequest('CANNOT_BLOCK_YOURSELF', 'You cannot get away from yourself.');
    const { database, clock, blockList } = this.deps;
    const block = await this.perBlocker.run(actorId, () =>
      database.inTransaction(async (session) => {
        const key = keyOf(actorId, userId);
        const existing = await this.blocks.findOne(key, { session });
        if (existing) return existing;
        const made: Block = { _id: new ObjectId(), ...key, createdAt: clock.now() };
        await this.blocks.insertOne(made, { session });
        await this.record(session, userBlocked, made);
        return made;
      }),
    );
    blockList.forget(actorId, userId);
    return block;
  }

  /** Takes a block back, which restores nothing; without one nothing changes. */
  async unblock(actorId: string, userId: string): Promise<void> {
    await this.deps.database.inTransaction(async (session) => {
      const removed = await this.blocks.findOneAndDelete(keyOf(actorId, userId), { session });
      if (removed) await this.record(session, userUnblocked, removed);
    });
    this.deps.blockList.forget(actorId, userId);
  }

  /** Whom the user has blocked, the newest first. */
  async list(actorId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<Block>> {
    const gone = [...(await this.deps.blockList.gone())].map((id) => new ObjectId(id));
    return this.deps.pager.page<Block>({
      collection: this.blocks,
      filter: { blockerId: new ObjectId(actorId), blockedId: { $nin: gone } },
      sort: [['_id', -1]],
      scope: `blocked by ${actorId}`,
      ...page,
    });
  }

  private record(
    session: ClientSession,
    type: EventType<{ blockerId: string; blockedId: string }>,
    block: Block,
  ): Promise<void> {
    const [blockerId, blockedId] = [block.blockerId.toHexString(), block.blockedId.toHexString()];
    return this.deps.outbox.record(session, type, {
      actorId: blockerId,
      entity: { kind: 'user', id: blockedId },
      audience: { userIds: [blockerId] },
      data: { blockerId, blockedId },
    });
  }
}

function keyOf(blockerId: string, blockedId: string): Pick<Block, 'blockerId' | 'blockedId'> {
  return { blockerId: new ObjectId(blockerId), blockedId: new ObjectId(blockedId) };
}
