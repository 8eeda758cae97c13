import { expect } from 'chai';
import { createLog } from '../../src/core/observability/log.js';
import { Devices } from '../../src/modules/presence/devices.js';
import { type DeviceState } from '../../src/modules/presence/presence.model.js';
import { type PresenceStore } from '../../src/modules/presence/presence.store.js';
import { type NodeChange } from '../../src/modules/presence/presence.update.js';
import { until } from '../support/until.js';

type Written = { userId: string } & NodeChange;

/** A store that is out of reach while a test says so, and what else it has been told. */
function lab() {
  const written: Written[] = [];
  const removed: string[] = [];
  const state = { isOutOfReach: false, hold: Promise.resolve() };
  const nodes = { id: 'first', join: () => undefined };
  const store: Pick<PresenceStore, 'write' | 'read' | 'removeNode'> = {
    async write(changes) {
      await state.hold;
      if (state.isOutOfReach) throw new Error('out of reach');
      written.push(...changes);
    },
    read: () => Promise.resolve([]),
    removeNode(nodeId) {
      removed.push(nodeId);
      return Promise.resolve(0);
    },
  };
  const devices = new Devices({
    store: store as PresenceStore,
    nodes,
    log: createLog('silent'),
    onChanged: () => undefined,
    onNodeGone: () => undefined,
  });
  const brief = () => written.map(({ nodeId, userId, device }) => `${userId} ${String(device)} at ${nodeId}`);
  return { devices, state, nodes, written, removed, brief };
}

describe('The devices of a node', () => {
  it('are written once the database is back, as they then are', async () => {
    const { devices, state, brief } = lab();
    state.isOutOfReach = true;
    devices.connected('a', '1');
    devices.connected('b', '1');
    devices.connected('b', '2');
    devices.ended('a', '1', 0);
    const failed = await devices.set('b', '1', 'away').catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(await devices.settle().catch((error: unknown) => error)).to.be.instanceOf(Error);
    state.isOutOfReach = false;
    await devices.settle();
    expect(brief()).to.deep.equal(['b online at first']);
    await devices.set('b', '2', 'away');
    await devices.settle();
    expect(brief()).to.deep.equal(['b online at first', 'b away at first']);
  });

  it('are written again under the node’s new id, also what was under way meanwhile', async () => {
    const { devices, state, nodes, brief } = lab();
    devices.connected('a', '1');
    await until(() => brief().length === 1);
    let release = (): void => undefined;
    state.hold = new Promise((resolve) => (release = resolve));
    devices.connected('b', '1');
    nodes.id = 'second';
    devices.renamed();
    release();
    await until(() => brief().length === 2);
    await devices.settle();
    expect(brief()).to.deep.equal([
      'a online at first',
      'b online at first',
      'a online at second',
      'b online at second',
    ]);
  });

  it('come back with `online` from being away without ending what was chosen for all of them', async () => {
    const { devices, written } = lab();
    devices.connected('a', '1');
    const choices: unknown[] = [];
    const states: (DeviceState | undefined)[] = [];
    for (const state of ['invisible', 'away', 'online', 'online', 'busy', 'away', 'busy', 'online'] as const) {
      await devices.set('a', '1', state);
      choices.push(written.at(-1)!.choice);
      states.push(written.at(-1)!.device);
    }
    expect(choices).to.deep.equal(['invisible', undefined, undefined, null, 'busy', undefined, 'busy', null]);
    const [on, off] = ['online', 'away'] as const;
    expect(states).to.deep.equal([on, off, on, on, on, off, on, on]);
  });

  it('are no more on a node that stops, which takes nothing more', async () => {
    const { devices, state, removed, brief } = lab();
    let release = (): void => undefined;
    state.hold = new Promise((resolve) => (release = resolve));
    devices.connected('a', '1');
    const stopping = devices.stop();
    devices.connected('b', '1');
    const { code } = (await devices.set('a', '1', 'busy').catch((error: unknown) => error)) as { code: string };
    expect(code).to.equal('SERVER_CLOSING');
    expect(removed).to.deep.equal([]);
    release();
    await stopping;
    await devices.settle();
    // What was under way is written before it is removed.
    expect(brief()).to.deep.equal(['a online at first']);
    expect(removed).to.deep.equal(['first']);
  });
});
