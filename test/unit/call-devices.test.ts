import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { createLog } from '../../src/core/observability/log.js';
import { type Connection } from '../../src/core/realtime/namespace.js';
import { type Nodes } from '../../src/core/realtime/nodes.js';
import { CallDevices } from '../../src/modules/calls/call.devices.js';
import { act, begin } from '../../src/modules/calls/call.machine.js';
import { type Call } from '../../src/modules/calls/call.model.js';
import { type CallStore } from '../../src/modules/calls/call.store.js';
import { MovableClock } from '../support/clock.js';

/** The devices of a node in a call of two, over a database that can be out of reach. */
function scene() {
  const clock = new MovableClock();
  const nodes = { id: 'node', join: () => undefined };
  const state: { call: Call | undefined; isOutOfReach: boolean } = { call: undefined, isOutOfReach: false };
  const changeIfDue = (_id: string, change: (call: Call) => Call | undefined): Promise<undefined> => {
    if (state.isOutOfReach) return Promise.reject(new Error('out of reach'));
    state.call = (state.call && change(state.call)) ?? state.call;
    return Promise.resolve(undefined);
  };
  const store = { changeIfDue } as unknown as CallStore;
  const devices = new CallDevices({ store, nodes: nodes as unknown as Nodes, clock, log: createLog('silent') });

  const [callerId, calleeId] = [new ObjectId(), new ObjectId()];
  const actor = { id: callerId.toHexString(), role: 'student', sessionId: 'f'.repeat(24) };
  let end: (() => void) | undefined;
  const connection = { id: 'socket', onEnd: (listener: () => void) => (end = listener) } as unknown as Connection;
  const device = devices.describe(actor, connection);
  const facts = { _id: new ObjectId(), type: 'voice' as const, callerId, device, busy: new Set<string>() };
  const ringing = begin({ ...facts, calleeIds: [calleeId] }, clock.now());
  const other = { socketId: 'another', nodeId: 'another node', sessionId: '' };
  state.call = act(ringing, calleeId.toHexString(), 'accept', clock.now(), other);
  devices.watch(actor, connection, facts._id.toHexString());
  return { devices, nodes, state, caller: () => state.call!.participants[0]!, disconnect: () => end?.() };
}

describe('The devices of a node that are in calls', () => {
  it('are known to be gone once that can be written', async () => {
    const { devices, state, caller, disconnect } = scene();
    state.isOutOfReach = true;
    disconnect();
    await devices.stop();
    expect(caller().droppedAt).to.equal(undefined);
    state.isOutOfReach = false;
    await devices.settle();
    expect(caller().droppedAt).to.be.instanceOf(Date);
    const { version } = state.call!;
    await devices.settle();
    expect(state.call!.version).to.equal(version);
  });

  it('are said to be where they are, once that can be written, where the node has another name', async () => {
    const { devices, nodes, state, caller } = scene();
    nodes.id = 'the same node';
    devices.renamed();
    state.isOutOfReach = true;
    await devices.settle().catch(() => undefined);
    expect(caller().device?.nodeId).to.equal('node');
    state.isOutOfReach = false;
    await devices.settle();
    expect(caller().device).to.deep.include({ socketId: 'socket', nodeId: 'the same node' });
  });

  it('stay gone where the node has another name', async () => {
    const { devices, nodes, caller, disconnect } = scene();
    disconnect();
    await devices.stop();
    nodes.id = 'the same node';
    devices.renamed();
    await devices.settle();
    expect(caller().droppedAt).to.be.instanceOf(Date);
  });
});
