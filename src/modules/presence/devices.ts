import { Gathering } from '../../core/gathering.js';
import { unavailable } from '../../core/http/problem.js';
import { type Log } from '../../core/observability/log.js';
import { type DeadNode, type Nodes, type NodeTenant } from '../../core/realtime/nodes.js';
import { type Choice, type DeviceState, type PresenceState, type SettableState } from './presence.model.js';
import { type PresenceStore } from './presence.store.js';

/** That something has become of a user here; how their devices stand is looked at when it is written. */
interface Change {
  userId: string;
  choice?: Choice | null;
  /** For how long nothing was heard of the device that has ended, in milliseconds. */
  silentMs: number;
}

export interface DevicesDeps {
  store: PresenceStore;
  nodes: Pick<Nodes, 'id' | 'join'>;
  log: Log;
  /** Some users' presence has changed, by this node. */
  onChanged: (changed: PresenceState[]) => void;
  /** Others' has, with a node that is gone; whose is not known. */
  onNodeGone: () => void;
}

const MOST_AT_ONCE = 500;

/**
 * The devices that are connected to this node, and what that makes of their users. It is written when a user's devices
 * here begin, end or change together, not for each of them; what comes at once is written at once, so that a thousand
 * who come back after a node was lost cost a few commands.
 */
export class Devices implements NodeTenant {
  private readonly devices = new Map<string, Map<string, DeviceState>>();
  /** What is stored of users under this node's id. */
  private readonly written = new Map<string, DeviceState>();
  private readonly gathering = new Gathering<Change, void>({
    most: MOST_AT_ONCE,
    // One waits for each socket at most, and those are there already.
    mostWaiting: Infinity,
    write: (changes) => this.write(changes),
  });
  private lastWrite: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly deps: DevicesDeps) {
    deps.nodes.join(this);
  }

  /** A device has come. */
  connected(userId: string, deviceId: string): void {
    if (this.stopped) return;
    const devices = this.devices.get(userId) ?? new Map<string, DeviceState>();
    this.devices.set(userId, devices.set(deviceId, 'online'));
    this.writeLater({ userId, silentMs: 0 });
  }

  /** A device has gone, and for so long nothing had been heard of it. */
  ended(userId: string, deviceId: string, silentMs: number): void {
    if (this.stopped) return;
    const devices = this.devices.get(userId);
    if (devices?.delete(deviceId) && devices.size === 0) this.devices.delete(userId);
    this.writeLater({ userId, silentMs });
  }

  /**
   * What the user of a device says of themselves; resolves once that is stored. A device that is away comes back with
   * `online`: only where it was not away does that end what its user has chosen for all of them.
   * @throws Problem 503 where the node stops
   */
  async set(userId: string, deviceId: string, state: SettableState): Promise<void> {
    const devices = this.devices.get(userId);
    const before = devices?.get(deviceId);
    if (this.stopped || !devices || before === undefined) {
      throw unavailable('SERVER_CLOSING', 'This connection ends. Try again, over another one.', 1);
    }
    devices.set(deviceId, state === 'away' ? 'away' : 'online');
    const change = { userId, silentMs: 0 };
    if (state === 'busy' || state === 'invisible') await this.note({ ...change, choice: state });
    else if (state === 'online' && before === 'online') await this.note({ ...change, choice: null });
    else await this.note(change);
  }

  /** Nobody is here any more: by one command, and not by one for each who is about to be sent elsewhere. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.lastWrite.catch(() => undefined);
    this.devices.clear();
    this.written.clear();
    await this.remove({ id: this.deps.nodes.id, heardAt: { agoMs: 0 } });
  }

  /** Writes what could not be written when it happened. */
  async settle(): Promise<void> {
    const users = new Set([...this.devices.keys(), ...this.written.keys()]);
    const late = [...users].filter((userId) => this.stateOf(userId) !== this.written.get(userId));
    await Promise.all(late.map((userId) => this.note({ userId, silentMs: 0 })));
  }

  renamed(): void {
    this.written.clear();
  }

  clear({ id, seenAt }: DeadNode): Promise<void> {
    return this.remove({ id, heardAt: seenAt });
  }

  private async remove({ id, heardAt }: { id: string; heardAt: Date | { agoMs: number } }): Promise<void> {
    if ((await this.deps.store.removeNode(id, heardAt)) > 0) this.deps.onNodeGone();
  }

  private stateOf(userId: string): DeviceState | undefined {
    const states = this.devices.get(userId);
    if (!states) return undefined;
    return [...states.values()].includes('online') ? 'online' : 'away';
  }

  private writeLater(change: Change): void {
    this.note(change).catch((error: unknown) => {
      this.deps.log.warn({ err: error }, 'presence: a change could not be written yet');
    });
  }

  /** One is written after the other: with the last one all of them are. */
  private note(change: Change): Promise<void> {
    this.lastWrite = this.gathering.add(change);
    return this.lastWrite;
  }

  private async write(changes: Change[]): Promise<PromiseSettledResult<void>[]> {
    const { store, nodes, onChanged } = this.deps;
    const nodeId = nodes.id;
    const byUser = new Map<string, Change>();
    for (const change of changes) byUser.set(change.userId, { ...byUser.get(change.userId), ...change });
    const due = [...byUser.values()]
      .map(({ userId, choice, silentMs }) => ({
        ...{ userId, nodeId, choice, heardAt: { agoMs: silentMs } },
        device: this.stateOf(userId),
      }))
      .filter(({ userId, device, choice }) => device !== this.written.get(userId) || choice !== undefined);
    if (due.length > 0) {
      await store.write(due);
      // Where this node was renamed meanwhile, none of it is said yet under its new id.
      if (nodeId === nodes.id) {
        for (const { userId, device } of due) {
          if (device === undefined) this.written.delete(userId);
          else this.written.set(userId, device);
        }
      }
      onChanged(await store.read(due.map(({ userId }) => userId)));
    }
    return changes.map(() => ({ status: 'fulfilled', value: undefined }));
  }
}
