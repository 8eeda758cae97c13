import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Log } from '../../../core/observability/log.js';
import {
  DEAD_AFTER_MS,
  type DeadNode,
  type Nodes,
  nodesCollection,
  type NodeTenant,
} from '../../../core/realtime/nodes.js';
import { type ForegroundUser, foregroundUsers } from './foreground.model.js';

/**
 * Who has the app before their eyes, on whatever node. It is written when that begins or ends for a user on a node, and
 * counts as long as the node is alive: it is not written for each of them again and again.
 */
export class Foreground implements NodeTenant {
  private readonly users: Collection<ForegroundUser>;
  private readonly sockets = new Map<string, Set<string>>();
  private readonly written = new Set<string>();
  private readonly writing = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(private readonly deps: { database: Database; nodes: Nodes; log: Log }) {
    this.users = deps.database.collection(foregroundUsers.name);
    deps.nodes.join(this);
  }

  /** Nobody is before the sockets of this node any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.sockets.clear();
    await Promise.allSettled(this.writing.values());
    await this.users.deleteMany({ nodeId: this.deps.nodes.id });
  }

  /** Notes that the app behind a socket is before its user's eyes, or is not; resolves once others can see that. */
  async set(userId: string, socketId: string, isForeground: boolean): Promise<void> {
    if (this.stopped) return;
    const sockets = this.sockets.get(userId) ?? new Set();
    if (isForeground) this.sockets.set(userId, sockets.add(socketId));
    else if (sockets.delete(socketId) && sockets.size === 0) this.sockets.delete(userId);
    await this.settleOne(userId);
  }

  /** The socket has ended. */
  ended(userId: string, socketId: string): void {
    this.set(userId, socketId, false).catch((error: unknown) => {
      this.deps.log.warn({ err: error }, 'foreground: the end of a socket could not be written yet');
    });
  }

  /** Which of these users have the app before their eyes: one query, however many they are. */
  async among(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.users
      .aggregate<Pick<ForegroundUser, 'userId'>>([
        { $match: { userId: { $in: userIds.map((id) => new ObjectId(id)) } } },
        { $lookup: { from: nodesCollection.name, localField: 'nodeId', foreignField: '_id', as: 'node' } },
        { $match: { $expr: { $gt: [{ $max: '$node.seenAt' }, { $subtract: ['$$NOW', DEAD_AFTER_MS] }] } } },
        { $project: { _id: 0, userId: 1 } },
      ])
      .toArray();
    return new Set(found.map(({ userId }) => userId.toHexString()));
  }

  async settle(): Promise<void> {
    const users = new Set([...this.sockets.keys(), ...this.written]);
    for (const userId of users) if (this.sockets.has(userId) !== this.written.has(userId)) await this.settleOne(userId);
  }

  renamed(): void {
    this.written.clear();
  }

  async clear({ id: nodeId }: DeadNode): Promise<void> {
    await this.users.deleteMany({ nodeId });
  }

  /** One write of a user's after another, so that the last one says how it stands. */
  private settleOne(userId: string): Promise<void> {
    const write = (this.writing.get(userId) ?? Promise.resolve()).catch(() => undefined).then(() => this.write(userId));
    this.writing.set(userId, write);
    const forget = (): void => {
      if (this.writing.get(userId) === write) this.writing.delete(userId);
    };
    write.then(forget, forget);
    return write;
  }

  private async write(userId: string): Promise<void> {
    const [is, was] = [this.sockets.has(userId), this.written.has(userId)];
    if (is === was || this.stopped) return;
    const { id: nodeId } = this.deps.nodes;
    const _id = `${nodeId} ${userId}`;
    if (is) {
      await this.users.updateOne({ _id }, { $setOnInsert: { userId: new ObjectId(userId), nodeId } }, { upsert: true });
      // Where it was renamed meanwhile this is not yet said under the new id.
      if (nodeId === this.deps.nodes.id) this.written.add(userId);
    } else {
      await this.users.deleteOne({ _id });
      this.written.delete(userId);
    }
  }
}
