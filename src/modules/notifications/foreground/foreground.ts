import { randomUUID } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { MINUTE, SECOND } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Log } from '../../../core/observability/log.js';
import { type ForegroundNode, foregroundNodes, type ForegroundUser, foregroundUsers } from './foreground.model.js';

const BEAT_MS = 10 * SECOND;
/** A node that was not heard of for so long is dead, and nobody is before its sockets. */
const ALIVE_MS = 30 * SECOND;
/** And after so long what it has left is removed. */
const FORGOTTEN_MS = 10 * MINUTE;

/**
 * Who has the app before their eyes, on whatever node. It is written when that begins or ends for a user on a node, and
 * by one heartbeat a node: not for each of them again and again. Times are the database's, whatever the nodes' clocks say.
 */
export class Foreground {
  private readonly nodeId = randomUUID();
  private readonly users: Collection<ForegroundUser>;
  private readonly nodes: Collection<ForegroundNode>;
  private readonly sockets = new Map<string, Set<string>>();
  private readonly written = new Set<string>();
  private readonly writing = new Map<string, Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly deps: { database: Database; log: Log }) {
    this.users = deps.database.collection(foregroundUsers.name);
    this.nodes = deps.database.collection(foregroundNodes.name);
  }

  /** Begins to say that this node is alive. */
  async start(): Promise<void> {
    await this.beat();
    this.timer = setInterval(() => this.beatQuietly(), BEAT_MS);
  }

  /** Nobody is before the sockets of this node any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    this.sockets.clear();
    await Promise.allSettled(this.writing.values());
    const { nodeId } = this;
    await this.users.deleteMany({ nodeId });
    await this.nodes.deleteOne({ _id: nodeId });
  }

  /** Notes that the app behind a socket is before its user's eyes, or is not; resolves once others can see that. */
  async set(userId: string, socketId: string, isForeground: boolean): Promise<void> {
    if (this.stopped) return;
    const sockets = this.sockets.get(userId) ?? new Set();
    if (isForeground) this.sockets.set(userId, sockets.add(socketId));
    else if (sockets.delete(socketId) && sockets.size === 0) this.sockets.delete(userId);
    await this.settle(userId);
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
        { $lookup: { from: foregroundNodes.name, localField: 'nodeId', foreignField: '_id', as: 'node' } },
        { $match: { $expr: { $gt: [{ $max: '$node.seenAt' }, { $subtract: ['$$NOW', ALIVE_MS] }] } } },
        { $project: { _id: 0, userId: 1 } },
      ])
      .toArray();
    return new Set(found.map(({ userId }) => userId.toHexString()));
  }

  /** One write of a user's after another, so that the last one says how it stands. */
  private settle(userId: string): Promise<void> {
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
    const { nodeId } = this;
    const _id = `${nodeId} ${userId}`;
    if (is) {
      await this.users.updateOne({ _id }, { $setOnInsert: { userId: new ObjectId(userId), nodeId } }, { upsert: true });
      this.written.add(userId);
    } else {
      await this.users.deleteOne({ _id });
      this.written.delete(userId);
    }
  }

  private beatQuietly(): void {
    this.beat().catch((error: unknown) =>
      this.deps.log.warn({ err: error }, 'foreground: no heartbeat could be written'),
    );
  }

  private async beat(): Promise<void> {
    const { upsertedCount } = await this.nodes.updateOne({ _id: this.nodeId }, [{ $set: { seenAt: '$$NOW' } }], {
      upsert: true,
    });
    // Others took this node for dead: they have removed what it said.
    if (upsertedCount > 0) this.written.clear();
    const users = new Set([...this.sockets.keys(), ...this.written]);
    for (const userId of users) if (this.sockets.has(userId) !== this.written.has(userId)) await this.settle(userId);
    const dead = await this.nodes
      .find({ $expr: { $lt: ['$seenAt', { $subtract: ['$$NOW', FORGOTTEN_MS] }] } })
      .toArray();
    for (const { _id, seenAt } of dead) {
      const { deletedCount } = await this.nodes.deleteOne({ _id, seenAt });
      if (deletedCount > 0) await this.users.deleteMany({ nodeId: _id });
    }
  }
}
