import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { createLog } from '../../src/core/observability/log.js';
import { News } from '../../src/modules/presence/news.js';
import {
  type Choice,
  type DeviceState,
  type Presence,
  presenceCollection,
  type PresenceState,
  type ShownState,
} from '../../src/modules/presence/presence.model.js';
import { PresenceStore } from '../../src/modules/presence/presence.store.js';
import { Watching } from '../../src/modules/presence/watching.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

const NODES = ['one', 'two', 'three'] as const;

interface Step {
  nodeId: (typeof NODES)[number];
  device: DeviceState | undefined;
  choice: Choice | null | undefined;
  isDead: boolean;
}

const steps = fc.array(
  fc.record({
    nodeId: fc.constantFrom(...NODES),
    device: fc.constantFrom<DeviceState | undefined>('online', 'away', undefined),
    choice: fc.constantFrom<Choice | null | undefined>(undefined, undefined, undefined, null, 'busy', 'invisible'),
    isDead: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What others are to see, in plain words. */
class Model {
  private readonly nodes = new Map<string, DeviceState>();
  private choice: Choice | null = null;
  state: ShownState = 'offline';
  /** The number of the step in which they left. */
  leftIn: number | undefined;

  take({ nodeId, device, choice, isDead }: Step, number: number): void {
    if (device === undefined || isDead) this.nodes.delete(nodeId);
    else this.nodes.set(nodeId, device);
    if (choice !== undefined && !isDead) this.choice = choice;
    const before = this.state;
    this.state = this.look();
    if (before !== 'offline' && this.state === 'offline') this.leftIn = number;
  }

  private look(): ShownState {
    if (this.nodes.size === 0 || this.choice === 'invisible') return 'offline';
    if (this.choice === 'busy') return 'busy';
    return [...this.nodes.values()].includes('online') ? 'online' : 'away';
  }
}

describe('A stored presence', () => {
  let lab: EventLab;
  let store: PresenceStore;
  before(async () => {
    lab = await EventLab.open([presenceCollection]);
    store = new PresenceStore(lab);
  });
  after(() => lab.close());

  const someone = (): string => new ObjectId().toHexString();
  const stored = (userId: string) =>
    lab.database.collection<Presence>(presenceCollection.name).findOne({ _id: new ObjectId(userId) });

  it('shows what follows from all devices and the choice, and when that ended', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const [userId, model] = [someone(), new Model()];
        for (const [number, { isDead, ...step }] of all.entries()) {
          // Another moment for each.
          const heardAt = new Date(1_000 * (number + 1));
          model.take({ isDead, ...step }, number);
          if (isDead) await store.removeNode(step.nodeId, heardAt);
          else await store.write([{ userId, ...step, heardAt }]);
        }
        const [{ state, lastSeenAt } = { state: 'offline' } as PresenceState] = await store.read([userId]);
        expect(state).to.equal(model.state);
        expect(lastSeenAt?.getTime()).to.equal(model.leftIn === undefined ? undefined : 1_000 * (model.leftIn + 1));
        // Of others' sequences nothing may be left.
        for (const nodeId of NODES) await store.removeNode(nodeId, new Date());
      }),
      { numRuns: 60 },
    );
  });

  it('is made once, and lacks no node, where many make it at the same time', async () => {
    const users = Array.from({ length: 10 }, someone);
    const nodeIds = Array.from({ length: 8 }, (_, n) => `node ${n}`);
    const change = { device: 'online' as const, heardAt: { agoMs: 0 } };
    await Promise.all(nodeIds.map((nodeId) => store.write(users.map((userId) => ({ userId, nodeId, ...change })))));
    for (const userId of users) {
      const { nodes, revision } = (await stored(userId))!;
      expect(nodes.map(({ id }) => id)).to.have.members(nodeIds);
      expect(revision).to.be.at.least(nodeIds.length);
    }
  });

  it('is not made by who leaves: where it was erased it stays so', async () => {
    const userId = someone();
    await store.write([{ userId, nodeId: 'one', device: undefined, heardAt: { agoMs: 0 } }]);
    expect(await stored(userId)).to.equal(null);
  });

  it('of a device that vanished says when it was last heard of, by the database’s clock', async () => {
    const userId = someone();
    await store.write([{ userId, nodeId: 'one', device: 'online', heardAt: { agoMs: 0 } }]);
    await store.write([{ userId, nodeId: 'one', device: undefined, heardAt: { agoMs: 25_000 } }]);
    const { lastSeenAt, changedAt } = (await stored(userId))!;
    expect(changedAt.getTime() - lastSeenAt!.getTime()).to.equal(25_000);
  });

  it('is told to whoever watches it also where what another node told was lost', async () => {
    const userId = someone();
    const told: string[] = [];
    const watching = new Watching({ read: (ids) => store.read(ids), maySee: () => Promise.resolve(true) });
    const news = new News({ store, watching, log: createLog('silent'), lookEveryMs: 20 });
    news.open({ broadcast: () => undefined, relay: () => undefined });
    try {
      watching.begin('socket', someone(), ({ state }) => void told.push(state));
      expect(await watching.watch('socket', [userId])).to.deep.equal([{ userId, state: 'offline' }]);
      await store.write([{ userId, nodeId: 'another', device: 'away', heardAt: { agoMs: 0 } }]);
      await until(() => told.length > 0);
      expect(told).to.deep.equal(['away']);
    } finally {
      await news.close();
    }
  });

  it('is looked for by an index, where it changed lately', async () => {
    const found = lab.database
      .collection(presenceCollection.name)
      .find({ $expr: { $gt: ['$changedAt', { $subtract: ['$$NOW', 1_000] }] } });
    expect(JSON.stringify(await found.explain('queryPlanner'))).to.include('"indexName":"changedAt_1"');
  });
});
