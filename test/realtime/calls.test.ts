import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { SECOND } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import {
  call,
  callable,
  type Device,
  deviceOf,
  has,
  heard,
  refused,
  start,
  stateOf,
  statesOf,
  talk,
} from '../support/callers.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';

describe('A call', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  /** People with a device each, on one node and the other in turn. */
  const arrive = async (count: number): Promise<Device[]> => {
    const people = await Promise.all(Array.from({ length: count }, () => callable(nodes[0])));
    return Promise.all(people.map((person, index) => deviceOf(person, nodes[index % 2])));
  };
  const seats = () => campus.db.collection('callSeats').countDocuments();

  it('rings on every device of the callee, with who calls; nobody else hears of it', async () => {
    const caller = await deviceOf(await nodes[0].register({ name: 'ليلى' }));
    const [phone, stranger] = (await arrive(2)) as [Device, Device];
    const laptop = await deviceOf(phone.person, nodes[1]);

    const made = await call(caller, 'start', { userIds: [phone.person.id], type: 'video' });
    expect(made).to.deep.include({ type: 'video', status: 'ringing', direction: 'out', version: 1 });
    expect(stateOf(made, caller)).to.deep.include({ state: 'joined', isCaller: true, deviceId: caller.id });
    for (const device of [phone, laptop]) {
      const incoming = await device.live.next('call:incoming');
      expect(incoming).to.deep.equal({ ...made, direction: 'in' });
      expect(stateOf(incoming, caller).user).to.deep.include({ id: caller.person.id, name: 'ليلى' });
    }
    await call(caller, 'end', { callId: made.id });
    await heard(laptop, made.id, has('missed'));
    expect(stranger.live.heard).to.deep.equal([]);
    expect(await refused(stranger, 'accept', { callId: made.id })).to.equal('404 CALL_NOT_FOUND');
  });

  it('is answered by one device, however many try at once on whatever node, and the others stop ringing', async () => {
    const [caller, first] = (await arrive(2)) as [Device, Device];
    const more = await Promise.all(nodes.flatMap((node) => [node, node]).map((node) => deviceOf(first.person, node)));
    const devices = [first, ...more];
    const { id: callId } = await start(caller, first);

    const answers = await Promise.all(devices.map(({ live }) => live.ask('call:accept', { callId })));

    const winner = devices[answers.findIndex(({ ok }) => ok as boolean)]!;
    const codes = answers.filter(({ ok }) => !ok).map(({ error }) => error.code as string);
    expect(codes).to.deep.equal(['CALL_ANSWERED', 'CALL_ANSWERED', 'CALL_ANSWERED', 'CALL_ANSWERED']);
    for (const device of [caller, ...devices]) {
      const active = await heard(device, callId, has('active'));
      expect(stateOf(active, first)).to.deep.include({ state: 'joined', deviceId: winner.id });
    }
    await call(winner, 'end', { callId });
    expect(await heard(caller, callId, has('ended'))).to.deep.include({ endReason: 'hungUp' });
  });

  it('is rejected on one device and stops on the others; what comes too late is refused', async () => {
    const [caller, phone] = (await arrive(2)) as [Device, Device];
    const laptop = await deviceOf(phone.person, nodes[0]);
    const { id: callId } = await start(caller, phone);
    expect(await refused(phone, 'end', { callId })).to.equal('409 CALL_NOT_ANSWERED');
    expect(await refused(phone, 'resume', { callId })).to.equal('409 CALL_NOT_ANSWERED');

    expect(await call(phone, 'reject', { callId })).to.deep.include({ status: 'rejected', endReason: 'rejected' });

    for (const device of [caller, laptop]) await heard(device, callId, has('rejected'));
    for (const event of ['accept', 'reject', 'end', 'resume']) {
      expect(await refused(laptop, event, { callId }), event).to.equal('409 CALL_OVER');
    }
  });

  it('ends one way where answering, rejecting and giving up come at once', async () => {
    const [caller, phone] = (await arrive(2)) as [Device, Device];
    const laptop = await deviceOf(phone.person, nodes[0]);
    for (let round = 0; round < 8; round += 1) {
      const { id: callId } = await start(caller, phone);
      const answers = await Promise.all([
        phone.live.ask('call:accept', { callId }),
        laptop.live.ask('call:reject', { callId }),
        caller.live.ask('call:end', { callId }),
      ]);
      for (const { ok, error } of answers) {
        if (!ok)
          expect(error).to.include({ status: 409 }).and.have.property('code').oneOf(['CALL_OVER', 'CALL_ANSWERED']);
      }
      const over = await heard(caller, callId, ({ status }) =>
        ['ended', 'rejected', 'missed'].includes(status as string),
      );
      expect(over.status === 'ended').to.equal(answers[0].ok);
    }
    expect(await seats()).to.equal(0);
  });

  it('is one where two call each other at once, on two nodes, many times over', async () => {
    const [one, other] = (await arrive(2)) as [Device, Device];
    for (let round = 0; round < 15; round += 1) {
      const [made, met] = await Promise.all([start(one, other), start(other, one)]);
      expect(made.id).to.equal(met.id);
      for (const device of [one, other]) {
        const active = await heard(device, made.id, has('active'));
        expect(statesOf(active)).to.deep.equal(['joined', 'joined']);
        expect(stateOf(active, one).deviceId).to.equal(one.id);
        expect(stateOf(active, other).deviceId).to.equal(other.id);
      }
      await call(round % 2 === 0 ? one : other, 'end', { callId: made.id });
    }
    const made = { 'participants.userId': new ObjectId(one.person.id) };
    expect(await campus.db.collection('calls').countDocuments(made)).to.equal(15);
    expect(await seats()).to.equal(0);
  });

  it('finds a callee busy who is in another one or whom another one rings, and tells them that they missed it', async () => {
    const [caller, talking, rung, friend] = (await arrive(4)) as [Device, Device, Device, Device];
    const { callId } = await talk(friend, talking);
    const busy = await start(caller, talking);
    expect(busy).to.deep.include({ status: 'failed', endReason: 'busy' });
    expect(stateOf(busy, talking)).to.deep.include({ state: 'busy' });
    expect(await heard(talking, busy.id, has('failed'))).to.deep.include({ direction: 'in' });
    expect(talking.live.all('call:incoming').map(({ id }) => id as string)).to.deep.equal([callId]);

    const ringing = await start(caller, rung, talking);
    expect(statesOf(ringing)).to.deep.equal(['joined', 'ringing', 'busy']);
    expect(await refused(caller, 'start', { userIds: [friend.person.id], type: 'voice' })).to.equal(
      '409 ALREADY_IN_CALL',
    );
    expect(await refused(rung, 'start', { userIds: [friend.person.id], type: 'voice' })).to.equal(
      '409 ALREADY_IN_CALL',
    );
    await call(rung, 'reject', { callId: ringing.id });

    const told = await until(
      async () => (await talking.person.get('/notifications')).body.data as Json[],
      ({ length }) => length === 2,
    );
    expect(told.map(({ type, actorIds }) => [type, actorIds])).to.deep.equal(
      [0, 1].map(() => ['CALL_MISSED', [caller.person.id]]),
    );
    await call(friend, 'end', { callId });
  });

  it('is by one of several who call the same person at once; the others find them busy', async () => {
    const [callee, ...callers] = (await arrive(5)) as [Device, ...Device[]];
    const made = await Promise.all(callers.map((caller) => start(caller, callee)));
    expect(made.map(({ status }) => status as string).sort()).to.deep.equal(['failed', 'failed', 'failed', 'ringing']);
    const ringing = made.find(has('ringing'));
    await callee.live.next('call:incoming', ({ id }) => id === ringing.id);
    await call(callee, 'reject', { callId: ringing.id });
    expect(await seats()).to.equal(0);
  });

  it('is missed when nobody has answered for 30 seconds, which the callee is told in their language', async () => {
    const [caller] = (await arrive(1)) as [Device];
    const callee = await deviceOf(await callable(nodes[1], { locale: 'ar' }));
    const { id: callId } = await start(caller, callee);
    campus.clock.advance(29 * SECOND);
    expect((await caller.person.get('/calls')).body.data[0]).to.deep.include({ id: callId, status: 'ringing' });
    campus.clock.advance(1 * SECOND);
    for (const device of [caller, callee]) {
      expect(await heard(device, callId, has('missed'))).to.deep.include({ endReason: 'timeout' });
    }
    expect(await refused(callee, 'accept', { callId })).to.equal('409 CALL_OVER');
    const [told] = await until(
      async () => (await callee.person.get('/notifications')).body.data as Json[],
      ({ length }) => length > 0,
    );
    expect(told).to.deep.include({ type: 'CALL_MISSED', category: 'chat', actorIds: [caller.person.id] });
    expect(told.title).to.match(/^فاتتك مكالمة من/);
    expect(told.entity).to.deep.equal({ kind: 'call', id: callId });
  });

  it('keeps the place of a device that vanishes for 20 seconds, on whatever node it comes back', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const { callId } = await talk(caller, callee);
    callee.live.socket.disconnect();
    const away = await heard(caller, callId, (one) => stateOf(one, callee).droppedAt !== undefined);
    expect(away.status).to.equal('active');
    expect(await refused(caller, 'signal', signal(callId, callee))).to.equal('409 PARTICIPANT_AWAY');

    campus.clock.advance(19 * SECOND);
    const back = await deviceOf(callee.person, nodes[0]);
    expect(stateOf(await call(back, 'resume', { callId }), back)).to.deep.include({ deviceId: back.id });
    const again = await heard(caller, callId, (one) => stateOf(one, callee).deviceId === back.id);
    expect(stateOf(again, callee)).to.not.have.property('droppedAt');

    campus.clock.advance(19 * SECOND);
    expect((await caller.person.get('/calls')).body.data[0]).to.deep.include({ id: callId, status: 'active' });
    back.live.socket.disconnect();
    await heard(caller, callId, (one) => one.version > again.version && stateOf(one, callee).droppedAt !== undefined);
    campus.clock.advance(20 * SECOND);
    expect(await heard(caller, callId, has('ended'))).to.deep.include({ endReason: 'connectionLost' });
    expect(await refused(await deviceOf(callee.person), 'resume', { callId })).to.equal('409 CALL_OVER');
  });

  it('fails where the caller is lost while it rings', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const { id: callId } = await start(caller, callee);
    caller.live.socket.disconnect();
    await heard(callee, callId, (one) => stateOf(one, caller).droppedAt !== undefined);
    campus.clock.advance(20 * SECOND);
    expect(await heard(callee, callId, has('failed'))).to.deep.include({ endReason: 'connectionLost' });
    await until(
      async () => (await callee.person.get('/notifications')).body.data as Json[],
      ([told]) => told?.type === 'CALL_MISSED',
    );
  });

  it('moves to another device of the same person; the former one signals no more, and its end ends nothing', async () => {
    const [caller, phone] = (await arrive(2)) as [Device, Device];
    const { callId } = await talk(caller, phone);
    const laptop = await deviceOf(phone.person, nodes[0]);
    await call(laptop, 'resume', { callId });
    await heard(caller, callId, (one) => stateOf(one, phone).deviceId === laptop.id);
    expect(await refused(phone, 'signal', signal(callId, caller))).to.equal('409 NOT_IN_CALL');
    phone.live.socket.disconnect();
    await call(laptop, 'end', { callId });
    const heardOf = caller.live.all('call:updated').filter(({ id }) => id === callId);
    expect(heardOf.some((one) => stateOf(one, phone).droppedAt !== undefined)).to.equal(false);
  });

  it('of several goes on until fewer than two are left, and those who are out hear no more of it', async () => {
    const [caller, one, other, late] = (await arrive(4)) as [Device, Device, Device, Device];
    const { id: callId } = await start(caller, one, other, late);
    await call(one, 'accept', { callId });
    await call(late, 'reject', { callId });
    const joined = await call(other, 'accept', { callId });
    expect(statesOf(joined)).to.deep.equal(['joined', 'joined', 'joined', 'rejected']);
    await call(caller, 'end', { callId });
    const left = await heard(one, callId, (now) => stateOf(now, caller).state === 'left');
    expect(left.status).to.equal('active');
    expect(await refused(caller, 'resume', { callId })).to.equal('409 CALL_LEFT');
    await call(one, 'end', { callId });
    await heard(other, callId, has('ended'));
    const last = late.live.all('call:updated').at(-1);
    expect(stateOf(last, other).state).to.equal('ringing');
    expect(caller.live.all('call:updated').some(has('ended'))).to.equal(false);
    expect(await seats()).to.equal(0);
  });

  it('takes seven others and no more, nobody twice, and not oneself', async () => {
    const [caller, ...others] = (await arrive(8)) as [Device, ...Device[]];
    const ids = others.map(({ person }) => person.id);
    const made = await call(caller, 'start', { userIds: ids, type: 'video' });
    expect(made.participants).to.have.length(8);
    await call(caller, 'end', { callId: made.id });
    const bad: object[] = [
      { userIds: [...ids, 'f'.repeat(24)], type: 'voice' },
      { userIds: [], type: 'voice' },
      { userIds: [ids[0], ids[0]], type: 'voice' },
      { userIds: ['not an id'], type: 'voice' },
      { userIds: [ids[0]], type: 'fax' },
      { userIds: [ids[0]] },
      {},
    ];
    for (const payload of bad) expect(await refused(caller, 'start', payload)).to.equal('400 VALIDATION_FAILED');
    expect(await refused(caller, 'start', { userIds: [caller.person.id], type: 'voice' })).to.equal(
      '400 CANNOT_CALL_YOURSELF',
    );
    const unknown = { userIds: ['f'.repeat(24)], type: 'voice' };
    expect(await refused(caller, 'start', unknown)).to.equal('404 USER_NOT_FOUND');
    for (const event of ['accept', 'reject', 'end', 'resume']) {
      expect(await refused(caller, event, { callId: 'x' }), event).to.equal('400 VALIDATION_FAILED');
      expect(await refused(caller, event, { callId: 'f'.repeat(24) }), event).to.equal('404 CALL_NOT_FOUND');
    }
  });
});

function signal(callId: string, { person }: Device): object {
  return { callId, to: person.id, data: { kind: 'offer', sdp: 'v=0\r\n' } };
}
