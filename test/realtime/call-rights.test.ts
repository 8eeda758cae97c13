import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, later } from '../../src/core/clock.js';
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
  talk,
} from '../support/callers.js';
import { type Api, Campus, type Person } from '../support/campus.js';
import { until } from '../support/until.js';

describe('Whom one may call, and who may be in a call', () => {
  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open();
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  const arrive = async (count: number): Promise<Device[]> => {
    const people = await Promise.all(Array.from({ length: count }, () => callable(nodes[0])));
    return Promise.all(people.map((person, index) => deviceOf(person, nodes[index % 2])));
  };
  const block = async (blocker: Person, { person }: Device): Promise<void> => {
    expect((await blocker.post(`/users/${person.id}/block`)).status).to.equal(201);
  };
  const calling = ({ person }: Device) => ({ userIds: [person.id], type: 'voice' });
  const mentions = (payload: unknown, { person }: Device) => JSON.stringify(payload).includes(person.id);
  const historyOf = async ({ person }: Device): Promise<Json[]> => (await person.get('/calls')).body.data as Json[];
  /** Has an event handled once more, as after a loss of history; answers when that is done. */
  const repeat = async (type: string, actorId: string): Promise<void> => {
    const events = campus.db.collection('events');
    const event = await events.findOne({ type, actorId }, { sort: { _id: -1 } });
    await events.insertOne({ ...event, _id: new ObjectId() });
    const [marker, other] = await Promise.all([nodes[0].register(), nodes[0].register()]);
    await marker.post('/follow', { userId: other.id });
    await until(
      async () => (await other.get('/notifications')).body.data as Json[],
      ({ length }) => length > 0,
    );
  };

  it('is everyone’s own choice: connections, unless they say otherwise', async () => {
    const [caller] = (await arrive(1)) as [Device];
    const callee = await deviceOf(await nodes[1].register());
    const refusal = '403 CANNOT_CALL_USERS';
    expect(await refused(caller, 'start', calling(callee))).to.equal(refusal);
    const { body: tie } = await caller.person.post('/connections', { userId: callee.person.id });
    expect(await refused(caller, 'start', calling(callee))).to.equal(refusal);
    await callee.person.put(`/connections/${tie.id as string}/accept`);
    const made = await until(
      () => caller.live.ask('call:start', calling(callee)),
      ({ ok }) => ok as boolean,
    );
    await call(caller, 'end', { callId: made.call.id });
    await callee.person.patch('/settings/privacy', { call: 'nobody' });
    await until(
      () => caller.live.ask('call:start', calling(callee)),
      ({ ok, error }) => !ok && error.code === 'CANNOT_CALL_USERS',
    );
    expect(await historyOf(callee)).to.have.length(1);
  });

  it('is looked at once more when the callee answers; then it stops ringing', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const laptop = await deviceOf(callee.person, nodes[0]);
    const { id: callId } = await start(caller, callee);
    await callee.person.patch('/settings/privacy', { call: 'nobody' });
    await until(
      () => callee.person.on(nodes[1]).get('/settings/privacy'),
      ({ body }) => body.call === 'nobody',
    );
    // The other node hears of it from the feed.
    await until(
      async () => (await deviceOf(caller.person, nodes[1])).live.ask('call:start', calling(callee)),
      ({ error }) => error.code === 'CANNOT_CALL_USERS',
    );
    expect(await refused(callee, 'accept', { callId })).to.equal('403 CANNOT_JOIN_CALL');
    for (const device of [caller, laptop]) await heard(device, callId, has('rejected'));
  });

  it('is nobody with whom there is a block, in either direction: they are not there', async () => {
    const [caller, callee, third] = (await arrive(3)) as [Device, Device, Device];
    await block(callee.person, caller);
    for (const [from, to] of [
      [caller, callee],
      [callee, caller],
    ] as const) {
      for (const userIds of [[to.person.id], [third.person.id, to.person.id]]) {
        await until(
          () => from.live.ask('call:start', { userIds, type: 'voice' }),
          ({ error }) => error?.status === 404 && error.code === 'USER_NOT_FOUND',
        );
      }
    }
    expect(third.live.heard).to.deep.equal([]);
  });

  it('ends with a block: what rings is rejected, what goes on ends, and nothing more is told of the other', async () => {
    for (const [isActive, blocks] of [
      [false, 'callee'],
      [false, 'caller'],
      [true, 'callee'],
      [true, 'caller'],
    ] as const) {
      const [caller, callee] = (await arrive(2)) as [Device, Device];
      const { callId } = isActive ? await talk(caller, callee) : { callId: (await start(caller, callee)).id as string };
      const [blocker, blocked] = blocks === 'callee' ? [callee, caller] : [caller, callee];

      await block(blocker.person, blocked);

      for (const [device, other] of [
        [caller, callee],
        [callee, caller],
      ] as const) {
        const over = await heard(device, callId, has(isActive ? 'ended' : 'rejected'));
        expect(mentions(over, other)).to.equal(false);
        expect(over.endReason).to.equal(isActive ? 'hungUp' : 'rejected');
        expect(await historyOf(device)).to.deep.equal([]);
        expect(await refused(device, 'resume', { callId })).to.equal('404 CALL_NOT_FOUND');
      }
      await repeat('user.blocked', blocker.person.id);
      expect(callee.live.all('call:updated').filter(({ endedAt }) => endedAt !== undefined)).to.have.length(1);
    }
  });

  it('ends one call with a block, though the block is heard of again in a later one', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    await block(callee.person, caller);
    expect((await callee.person.delete(`/users/${caller.person.id}/block`)).status).to.equal(204);
    const { callId } = await until(
      () => talk(caller, callee).catch(() => ({ callId: '' })),
      (made) => made.callId !== '',
    );
    await repeat('user.blocked', callee.person.id);
    expect((await historyOf(caller))[0]).to.deep.include({ id: callId, status: 'active' });
    await call(caller, 'end', { callId });
  });

  it('does not begin or go on where a block comes at the same moment', async () => {
    for (let round = 0; round < 4; round += 1) {
      const [caller, callee] = (await arrive(2)) as [Device, Device];
      const [answer] = await Promise.all([
        caller.live.ask('call:start', calling(callee)),
        block(callee.person.on(nodes[1]), caller),
      ]);
      if (!answer.ok) expect(answer.error.code).to.equal('USER_NOT_FOUND');
      await until(
        () => campus.db.collection('callSeats').countDocuments(),
        (seats) => seats === 0,
      );
    }
  });

  it('lets only one of two into a call of several who must not appear to each other', async () => {
    const [caller, one, other] = (await arrive(3)) as [Device, Device, Device];
    await block(one.person, other);
    await until(
      () => one.person.on(nodes[1]).get(`/profiles/${other.person.id}`),
      ({ status }) => status === 404,
    );
    const { id: callId } = await start(caller, one, other);
    const [rung, alsoRung] = await Promise.all([one, other].map(({ live }) => live.next('call:incoming')));
    expect(mentions(rung, other)).to.equal(false);
    expect(mentions(alsoRung, one)).to.equal(false);
    await call(other, 'accept', { callId });
    expect(await refused(one, 'accept', { callId })).to.equal('404 CALL_NOT_FOUND');
    const active = await heard(caller, callId, (now) => stateOf(now, one).state === 'rejected');
    expect(stateOf(active, other).state).to.equal('joined');
    expect(mentions(other.live.heard, one)).to.equal(false);
    const signal = { callId, to: one.person.id, data: { kind: 'offer', sdp: 'v=0\n' } };
    expect(await refused(other, 'signal', signal)).to.equal('404 PARTICIPANT_NOT_FOUND');
    await call(caller, 'end', { callId });
  });

  it('leaves a call of several to the others where one in it blocks another', async () => {
    const [caller, one, other] = (await arrive(3)) as [Device, Device, Device];
    const { id: callId } = await start(caller, one, other);
    await call(one, 'accept', { callId });
    await call(other, 'accept', { callId });
    await block(one.person, other);
    const without = await heard(caller, callId, (now) => stateOf(now, one).state === 'left');
    expect(without.status).to.equal('active');
    expect(stateOf(without, other).state).to.equal('joined');
    await call(other, 'end', { callId });
  });

  it('is nobody whose session has ended: they leave at once', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const elsewhere = await nodes[0].signIn(callee.person.email, callee.person.password);
    const { callId } = await talk(caller, callee);
    // Another session of theirs is not the one in the call.
    expect((await elsewhere.post('/auth/logout')).status).to.equal(204);
    expect((await callee.person.post('/auth/logout')).status).to.equal(204);
    expect(await heard(caller, callId, has('ended'))).to.deep.include({ endReason: 'hungUp' });
    await callee.live.closed();
  });

  it('is nobody who is suspended or has given the account up', async () => {
    const [caller, joined, ringing] = (await arrive(3)) as [Device, Device, Device];
    const { id: callId } = await start(caller, joined, ringing);
    await call(joined, 'accept', { callId });
    const suspendedUntil = later(campus.clock.now(), HOUR).toISOString();
    const admin = await nodes[0].admin();
    for (const { person } of [ringing, joined]) {
      expect((await admin.patch(`/admin/users/${person.id}`, { suspendedUntil })).status).to.equal(200);
    }
    const over = await heard(caller, callId, has('ended'));
    expect(stateOf(over, ringing).state).to.equal('rejected');
    expect(stateOf(over, joined).state).to.equal('left');
  });

  it('is not to be rung more than thirty times a minute by one caller', async () => {
    const [caller, callee] = (await arrive(2)) as [Device, Device];
    const second = await deviceOf(caller.person, nodes[1]);
    const codes: string[] = [];
    for (let count = 0; count < 31; count += 1) {
      const from = count % 2 === 0 ? caller : second;
      const { ok, call: made, error } = await from.live.ask('call:start', calling(callee));
      if (ok) await call(from, 'end', { callId: made.id });
      else codes.push(error.code as string);
    }
    expect(codes).to.deep.equal(['RATE_LIMITED']);
  });
});
