import { randomUUID } from 'node:crypto';
import { type Collection } from 'mongodb';
import { MINUTE, SECOND } from '../clock.js';
import { type CollectionDefinition } from '../database/collections.js';
import { type Database } from '../database/database.js';
import { type Log } from '../observability/log.js';

/** A node that serves sockets. What it says of its users counts only as long as it is alive. */
interface NodeRow {
  _id: string;
  seenAt: Date;
  /** Others took it for dead: it is never again alive under this id. */
  isDead?: true;
  /** What it has left was removed. */
  isCleared?: true;
}

export const nodesCollection: CollectionDefinition = {
  name: 'nodes',
  // Read by id; the few that there are are looked through for dead ones.
  indexes: [],
};

/** A node that died, and when it was last heard of. */
export interface DeadNode {
  id: string;
  seenAt: Date;
}

/** What keeps something of its users under the node's id. */
export interface NodeTenant {
  /** Called at every beat, to write what could not be written before. */
  settle(): Promise<void>;
  /** What was written under the node's former id is gone: all of it is to be written again, under the new one. */
  renamed(): void;
  /** Removes what a dead node has left; called again where some of it may have been missed. */
  clear(dead: DeadNode): Promise<void>;
}

export interface NodesDeps {
  database: Database;
  log: Log;
  /** How often a node says that it is alive, and looks for dead ones, in milliseconds. */
  beatMs?: number;
}

/**
 * A node that was not heard of for so long is dead. Someone finds out within another beat: what it has left is gone 25
 * seconds after it died, where 30 are promised.
 */
export const DEAD_AFTER_MS = 20 * SECOND;
/** After so long even a write that was under way when it died has ended, and what that has left is removed as well. */
const FORGOTTEN_AFTER_MS = 10 * MINUTE;

/**
 * The nodes that serve sockets. Each says that it is alive by one heartbeat, however many users it has, and any of them
 * removes what a dead one has left. Times are the database's, whatever the nodes' clocks say.
 */
export class Nodes {
  private current = randomUUID();
  private readonly rows: Collection<NodeRow>;
  private readonly tenants: NodeTenant[] = [];
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private settling: Promise<void> | undefined;

  constructor(private readonly deps: NodesDeps) {
    this.rows = deps.database.collection(nodesCollection.name);
  }

  /** This node's id; another one after others took it for dead. */
  get id(): string {
    return this.current;
  }

  join(tenant: NodeTenant): void {
    this.tenants.push(tenant);
  }

  /** Begins to say that this node is alive. */
  async start(): Promise<void> {
    await this.register(this.current);
    await this.bury();
    this.timer = setInterval(() => this.beatQuietly(), this.deps.beatMs ?? 5 * SECOND);
  }

  /** Says that it is not; whatever was kept under its id has been removed by then. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([this.beating, this.settling]);
    await this.rows.deleteOne({ _id: this.current });
  }

  /** One beat after the other; what takes longer than one does not hold back the next, or this node would seem dead. */
  private beatQuietly(): void {
    this.beating ??= this.beat()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'nodes: a heartbeat failed'))
      .finally(() => (this.beating = undefined));
  }

  private async beat(): Promise<void> {
    const { matchedCount } = await this.rows.updateOne({ _id: this.current, isDead: { $exists: false } }, [SEEN_NOW]);
    if (matchedCount === 0) await this.rename();
    this.settling ??= this.settle()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'nodes: something could not be written yet'))
      .finally(() => (this.settling = undefined));
    await this.bury();
  }

  private async settle(): Promise<void> {
    for (const tenant of this.tenants) await tenant.settle();
  }

  private async register(id: string): Promise<void> {
    await this.rows.updateOne({ _id: id }, [SEEN_NOW], { upsert: true });
  }

  /** Others may still be removing what is kept under the former id: what is kept from now on must not be mixed with that. */
  private async rename(): Promise<void> {
    const former = this.current;
    const id = randomUUID();
    await this.register(id);
    this.current = id;
    for (const tenant of this.tenants) tenant.renamed();
    // A write under the former id may have been under way: so it is cleared once more, even where it was forgotten.
    const once = [{ $set: { isDead: true, seenAt: { $ifNull: ['$seenAt', '$$NOW'] } } }];
    await this.rows.updateOne({ _id: former }, once, { upsert: true });
    this.deps.log.warn('nodes: this node was taken for dead, and goes on under another id');
  }

  private async bury(): Promise<void> {
    const dead = await this.rows
      .aggregate<NodeRow & { isOld: boolean }>([
        { $match: { $expr: { $lt: ['$seenAt', ago(DEAD_AFTER_MS)] } } },
        { $addFields: { isOld: { $lt: ['$seenAt', ago(FORGOTTEN_AFTER_MS)] } } },
      ])
      .toArray();
    for (const { _id, seenAt, isCleared, isOld } of dead) {
      if (isCleared && !isOld) continue;
      // From here on it cannot be heard of any more under this id, unless it was just now.
      const { matchedCount } = await this.rows.updateOne({ _id, seenAt }, { $set: { isDead: true } });
      if (matchedCount === 0) continue;
      for (const tenant of this.tenants) await tenant.clear({ id: _id, seenAt });
      if (isOld) await this.rows.deleteOne({ _id });
      else await this.rows.updateOne({ _id }, { $set: { isCleared: true } });
    }
  }
}

const SEEN_NOW = { $set: { seenAt: '$$NOW' } };

function ago(milliseconds: number) {
  return { $subtract: ['$$NOW', milliseconds] };
}
