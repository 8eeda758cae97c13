import { type Collection, type Document, type Filter, type OptionalUnlessRequiredId } from 'mongodb';
import { type CollectionDefinition } from '../database/collections.js';
import { type Database } from '../database/database.js';
import { type Log } from '../observability/log.js';
import { DEAD_AFTER_MS, type DeadNode, type Nodes, nodesCollection, type NodeTenant } from './nodes.js';

/** Something that holds as long as a socket of this node says so. */
export interface NodeMark {
  /** Of the node and what it is about. */
  _id: string;
  nodeId: string;
}

export interface NodeMarksDeps {
  database: Database;
  nodes: Nodes;
  log: Log;
}

/**
 * What sockets say of their users, on whatever node: that they have something before their eyes. It is written when that
 * begins or ends for the first and the last of a node's sockets that say the same, and counts as long as the node is
 * alive: it is not written for each of them again and again.
 */
export abstract class NodeMarks<Mark extends NodeMark> implements NodeTenant {
  protected readonly marks: Collection<Mark>;
  private readonly sockets = new Map<string, Set<string>>();
  private readonly written = new Set<string>();
  private readonly writing = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(
    { name }: CollectionDefinition,
    private readonly deps: NodeMarksDeps,
  ) {
    this.marks = deps.database.collection(name);
    deps.nodes.join(this);
  }

  /** Nobody is before the sockets of this node any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.sockets.clear();
    await Promise.allSettled(this.writing.values());
    await this.marks.deleteMany(this.of(this.deps.nodes.id));
  }

  async settle(): Promise<void> {
    const keys = new Set([...this.sockets.keys(), ...this.written]);
    for (const key of keys) if (this.sockets.has(key) !== this.written.has(key)) await this.settleOne(key);
  }

  renamed(): void {
    this.written.clear();
  }

  async clear({ id }: DeadNode): Promise<void> {
    await this.marks.deleteMany(this.of(id));
  }

  /** What is stored of a mark, beside its id and its node. */
  protected abstract fieldsOf(key: string): Omit<Mark, keyof NodeMark>;

  /** Notes that a socket says so, or no longer; resolves once others can see that. */
  protected async mark(key: string, socketId: string, isOn: boolean): Promise<void> {
    if (this.stopped) return;
    const sockets = this.sockets.get(key) ?? new Set();
    if (isOn) this.sockets.set(key, sockets.add(socketId));
    else if (sockets.delete(socketId) && sockets.size === 0) this.sockets.delete(key);
    await this.settleOne(key);
  }

  /** The socket has ended. */
  protected unmark(key: string, socketId: string): void {
    this.mark(key, socketId, false).catch((error: unknown) => {
      this.deps.log.warn(
        { err: error, marks: this.marks.collectionName },
        'the end of a socket could not be written yet',
      );
    });
  }

  /** Those that fit and whose node is alive: one query, however many they are. */
  protected alive(fits: Filter<Mark>): Promise<Mark[]> {
    return this.marks
      .aggregate<Mark>([
        { $match: fits as Document },
        { $lookup: { from: nodesCollection.name, localField: 'nodeId', foreignField: '_id', as: 'node' } },
        { $match: { $expr: { $gt: [{ $max: '$node.seenAt' }, { $subtract: ['$$NOW', DEAD_AFTER_MS] }] } } },
        { $project: { node: 0 } },
      ])
      .toArray();
  }

  /** One write of a mark after another, so that the last one says how it stands. */
  private settleOne(key: string): Promise<void> {
    const write = (this.writing.get(key) ?? Promise.resolve()).catch(() => undefined).then(() => this.write(key));
    this.writing.set(key, write);
    const forget = (): void => {
      if (this.writing.get(key) === write) this.writing.delete(key);
    };
    write.then(forget, forget);
    return write;
  }

  private async write(key: string): Promise<void> {
    const [is, was] = [this.sockets.has(key), this.written.has(key)];
    if (is === was || this.stopped) return;
    const { id: nodeId } = this.deps.nodes;
    const which = { _id: `${nodeId} ${key}` } as Filter<Mark>;
    if (is) {
      const fields = { nodeId, ...this.fieldsOf(key) } as unknown as OptionalUnlessRequiredId<Mark>;
      await this.marks.updateOne(which, { $setOnInsert: fields } as Document, { upsert: true });
      // Where it was renamed meanwhile this is not yet said under the new id.
      if (nodeId === this.deps.nodes.id) this.written.add(key);
    } else {
      await this.marks.deleteOne(which);
      this.written.delete(key);
    }
  }

  private of(nodeId: string): Filter<Mark> {
    return { nodeId } as Filter<Mark>;
  }
}
