import { expect } from 'chai';
import { SECOND } from '../../src/core/clock.js';
import { call, callable, deviceOf, has, heard, start, stateOf, talk } from '../support/callers.js';
import { Campus } from '../support/campus.js';
import { until } from '../support/until.js';

describe('A call whose node goes down', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(100_000);

  let campus: Campus;
  before(async () => {
    campus = await Campus.open();
  });
  after(() => campus.close());

  it('is missed in time though everything was restarted while it rang', async () => {
    const former = await campus.startNode();
    const [caller, callee] = [await deviceOf(await callable(former)), await deviceOf(await callable(former))];
    const { id: callId } = await start(caller, callee);
    await callee.live.next('call:incoming');
    await campus.stopNodes();
    await callee.live.closed();

    campus.clock.advance(15 * SECOND);
    const node = await campus.startNode();
    const [callerAgain, calleeAgain] = [await deviceOf(caller.person, node), await deviceOf(callee.person, node)];
    await call(callerAgain, 'resume', { callId });
    const ringing = await heard(calleeAgain, callId, (one) => stateOf(one, caller).deviceId === callerAgain.id);
    expect(ringing.status).to.equal('ringing');
    campus.clock.advance(15 * SECOND);
    for (const device of [callerAgain, calleeAgain]) {
      expect(await heard(device, callId, has('missed'))).to.deep.include({ endReason: 'timeout' });
    }
    await campus.stopNodes();
  });

  it('loses those connected to a killed node, unless they come back to another one', async () => {
    const node = await campus.startNode();
    const nodes = campus.db.collection<{ _id: string }>('nodes');
    const alive = (await nodes.find().toArray()).map(({ _id }) => _id);
    const doomed = await campus.startProcess();
    const people = await Promise.all([0, 1, 2, 3].map(() => callable(node)));
    const [caller, other] = [await deviceOf(people[0]!), await deviceOf(people[1]!)];
    const [lost, back] = [await deviceOf(people[2]!, doomed.api), await deviceOf(people[3]!, doomed.api)];
    const [one, second] = [await talk(caller, lost), await talk(other, back)];

    await doomed.kill();
    await Promise.all([lost.live.closed(), back.live.closed()]);
    // A minute later, in the time of the database, by which nodes are alive or dead.
    await nodes.updateOne({ _id: { $nin: alive } }, [{ $set: { seenAt: { $subtract: ['$$NOW', 60 * SECOND] } } }]);

    await heard(caller, one.callId, (now) => stateOf(now, lost).droppedAt !== undefined);
    await heard(other, second.callId, (now) => stateOf(now, back).droppedAt !== undefined);
    const again = await deviceOf(back.person, node);
    await call(again, 'resume', { callId: second.callId });
    campus.clock.advance(20 * SECOND);
    expect(await heard(caller, one.callId, has('ended'))).to.deep.include({ endReason: 'connectionLost' });
    expect((await again.person.get('/calls')).body.data[0]).to.deep.include({ id: second.callId, status: 'active' });
    await call(again, 'end', { callId: second.callId });
  });

  it('goes on where the node was taken for dead, and is not', async () => {
    const steady = await campus.startNode();
    const nodes = campus.db.collection<{ _id: string }>('nodes');
    const others = (await nodes.find().toArray()).map(({ _id }) => _id);
    const drowsy = await campus.startNode();
    const people = await Promise.all([0, 1].map(() => callable(steady)));
    const [caller, callee] = [await deviceOf(people[0]!, steady), await deviceOf(people[1]!, drowsy)];
    const { callId } = await talk(caller, callee);
    const calls = campus.db.collection('calls');
    const nodeOf = async (): Promise<unknown> => (await calls.findOne({}, { sort: { _id: -1 } }))?.['participants'][1];
    const before = (await nodeOf()) as { device: { nodeId: string } };

    const longAgo = { $subtract: ['$$NOW', 60 * SECOND] };
    await nodes.updateOne({ _id: { $nin: others } }, [{ $set: { isDead: true, seenAt: longAgo } }]);

    await until(nodeOf, (one) => {
      const { device, droppedAt } = one as { device: { nodeId: string }; droppedAt?: Date };
      return device.nodeId !== before.device.nodeId && droppedAt === undefined;
    });
    await call(callee, 'end', { callId });
    expect(await heard(caller, callId, has('ended'))).to.deep.include({ endReason: 'hungUp' });
    await campus.stopNodes();
  });
});
