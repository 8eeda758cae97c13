import { type Clock } from '../../core/clock.js';
import { type Actor } from '../../core/http/route.js';
import { type Log } from '../../core/observability/log.js';
import { type Connection } from '../../core/realtime/namespace.js';
import { type DeadNode, type Nodes, type NodeTenant } from '../../core/realtime/nodes.js';
import { drop, reattach } from './call.machine.js';
import { type CallDevice } from './call.model.js';
import { type CallStore } from './call.store.js';

interface Place {
  callId: string;
  userId: string;
  sessionId: string;
}

/** The devices on this node that are in calls, and what becomes of calls when they, or a whole node, are gone. */
export class CallDevices implements NodeTenant {
  private readonly places = new Map<string, Place>();
  /** Devices that are gone, until that is written. */
  private readonly gone = new Map<string, Place>();
  /** Devices that are said to be on a node of another name than this one has now. */
  private readonly misplaced = new Set<string>();
  private readonly writing = new Set<Promise<void>>();

  constructor(private readonly deps: { store: CallStore; nodes: Nodes; clock: Clock; log: Log }) {
    deps.nodes.join(this);
  }

  /** The device behind a connection. */
  describe({ sessionId }: Actor, { id }: Connection): CallDevice {
    return { socketId: id, nodeId: this.deps.nodes.id, sessionId };
  }

  /** Notes that a connection is in a call: when it ends, its user has some time to come back by another one. */
  watch({ id: userId, sessionId }: Actor, connection: Connection, callId: string): void {
    this.places.set(connection.id, { callId, userId, sessionId });
    connection.onEnd(() => this.ended(connection.id));
  }

  /** Waits until the calls know of all devices that are gone, as far as that can be written. */
  async stop(): Promise<void> {
    await Promise.all(this.writing);
  }

  async settle(): Promise<void> {
    for (const socketId of this.gone.keys()) await this.drop(socketId);
    for (const socketId of this.misplaced) await this.reattach(socketId);
  }

  renamed(): void {
    for (const socketId of this.places.keys()) this.misplaced.add(socketId);
  }

  /**
   * Devices on a dead node are gone. What is said in calls does not pass through it, and may go on: their time to come
   * back begins only now.
   */
  async clear({ id }: DeadNode): Promise<void> {
    const { store, clock } = this.deps;
    for (const { _id, participants } of await store.onNode(id)) {
      for (const { userId, device } of participants) {
        if (device?.nodeId !== id) continue;
        await store.changeIfDue(_id, (call) => drop(call, userId.toHexString(), device.socketId, clock.now()));
      }
    }
  }

  private ended(socketId: string): void {
    const place = this.places.get(socketId);
    if (!place) return;
    this.places.delete(socketId);
    this.misplaced.delete(socketId);
    this.gone.set(socketId, place);
    const write = this.drop(socketId)
      .catch((error: unknown) =>
        this.deps.log.warn({ err: error }, 'calls: that a device is gone could not be written yet'),
      )
      .finally(() => this.writing.delete(write));
    this.writing.add(write);
  }

  private async drop(socketId: string): Promise<void> {
    const place = this.gone.get(socketId);
    if (!place) return;
    const { callId, userId } = place;
    const { store, clock } = this.deps;
    await store.changeIfDue(callId, (call) => drop(call, userId, socketId, clock.now()));
    this.gone.delete(socketId);
  }

  private async reattach(socketId: string): Promise<void> {
    const place = this.places.get(socketId);
    const { store, clock, nodes } = this.deps;
    const { id: nodeId } = nodes;
    if (place) {
      const { callId, userId, sessionId } = place;
      const device = { socketId, nodeId, sessionId };
      await store.changeIfDue(callId, (call) => reattach(call, userId, device, clock.now()));
    }
    if (nodeId === nodes.id) this.misplaced.delete(socketId);
  }
}
