import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { later, SECOND } from '../../src/core/clock.js';
import { Problem } from '../../src/core/http/problem.js';
import {
  act,
  type Action,
  begin,
  drop,
  expire,
  isLive,
  isSeated,
  NEXT,
  participantOf,
  reattach,
  remove,
  RETURN_MS,
  RING_MS,
  separate,
} from '../../src/modules/calls/call.machine.js';
import { type Call, type CallDevice, type CallStatus } from '../../src/modules/calls/call.model.js';
import { occurrences } from '../../src/modules/calls/call.occurrences.js';

const START = new Date('2026-11-22T10:00:00Z');
const IDS = Array.from({ length: 8 }, (_one, index) => String(index + 1).repeat(24));
const ACTIONS: Action[] = ['accept', 'reject', 'leave', 'resume'];
const CODES = ['CALL_OVER', 'CALL_ANSWERED', 'CALL_NOT_ANSWERED', 'CALL_LEFT'];

function deviceOf(userId: string, number = 0): CallDevice {
  return { socketId: `socket ${userId[0]!}.${number}`, nodeId: 'node', sessionId: 'f'.repeat(24) };
}

function newCall(callees: number, busy: string[] = []): Call {
  const [callerId, ...others] = IDS.slice(0, callees + 1).map((id) => new ObjectId(id));
  const facts = { _id: new ObjectId(), type: 'voice' as const, callerId: callerId!, busy: new Set(busy) };
  return begin({ ...facts, device: deviceOf(IDS[0]!), calleeIds: others }, START);
}

/** What anybody may try at some moment; whether it can be done then is for the machine to say. */
type Attempt = { seconds: number; who: number } & (
  { what: Action; device: number } | { what: 'drop' | 'remove' | 'separate' | 'expire' | 'reattach' }
);

const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  fc.record({
    seconds: fc.integer({ min: 0, max: 12 }),
    who: fc.nat(7),
    what: fc.constantFrom(...ACTIONS),
    device: fc.nat(2),
  }),
  fc.record({
    seconds: fc.integer({ min: 0, max: 12 }),
    who: fc.nat(7),
    what: fc.constantFrom(
      'drop' as const,
      'remove' as const,
      'separate' as const,
      'expire' as const,
      'reattach' as const,
    ),
  }),
);

function tryIt(call: Call, one: Attempt, now: Date): Call | undefined {
  const userId = IDS[one.who]!;
  const socketId = participantOf(call, userId)?.device?.socketId ?? 'none';
  switch (one.what) {
    case 'drop':
      return drop(call, userId, socketId, now);
    case 'reattach':
      return reattach(call, userId, { socketId, nodeId: 'another node', sessionId: '' }, now);
    case 'remove':
      return remove(call, userId, now);
    case 'separate':
      return separate(call, userId, IDS[(one.who + 1) % 8]!, now);
    case 'expire':
      return expire(call, now);
    default:
      return act(call, userId, one.what, now, deviceOf(userId, one.device));
  }
}

/** Every state that a call goes through when these things are tried one after the other. */
function lifeOf(callees: number, busy: number[], attempts: Attempt[]): { before: Call; after: Call; now: Date }[] {
  let call = newCall(
    callees,
    busy.map((index) => IDS[index]!),
  );
  let now = START;
  const life: { before: Call; after: Call; now: Date }[] = [];
  for (const one of attempts) {
    now = later(now, one.seconds * SECOND);
    const before = call;
    try {
      call = tryIt(call, one, now) ?? call;
    } catch (error) {
      expect(error).to.be.instanceOf(Problem);
    }
    if (call !== before) life.push({ before, after: call, now });
  }
  return life;
}

const anyLife = fc.tuple(
  fc.integer({ min: 1, max: 7 }),
  fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
  fc.array(attempt, { maxLength: 25 }),
);

function forEachChange(check: (change: { before: Call; after: Call; now: Date }) => void): void {
  fc.assert(
    fc.property(anyLife, ([callees, busy, attempts]) => {
      for (const change of lifeOf(callees, busy, attempts)) check(change);
    }),
    { numRuns: 300 },
  );
}

describe('The states of a call', () => {
  it('refuse whatever the table does not have, with a stable code, and do the rest', () => {
    fc.assert(
      fc.property(anyLife, fc.nat(7), fc.constantFrom(...ACTIONS), ([callees, busy, attempts], who, action) => {
        const [last] = lifeOf(callees, busy, attempts).slice(-1);
        const call = last?.after ?? newCall(callees);
        const userId = IDS[who]!;
        const state = participantOf(call, userId)?.state;
        const isLegal = isLive(call) && state !== undefined && NEXT[state][action] !== undefined;
        const now = later(last?.now ?? START, SECOND);
        let refusal: unknown;
        try {
          act(call, userId, action, now, deviceOf(userId));
        } catch (error) {
          refusal = error;
        }
        expect(refusal === undefined, `${action} by who is ${state ?? 'not there'}`).to.equal(isLegal);
        if (refusal) expect(refusal).to.include({ status: 409 }).and.have.property('code').that.is.oneOf(CODES);
      }),
      { numRuns: 300 },
    );
  });

  it('say why something is refused', () => {
    const ringing = newCall(2);
    const [caller, callee, other] = IDS as [string, string, string];
    const active = act(ringing, callee, 'accept', START, deviceOf(callee));
    const without = act(active, other, 'reject', START);
    const over = act(without, caller, 'leave', START);
    const cases: [Call, string, Action, string][] = [
      [active, callee, 'accept', 'CALL_ANSWERED'],
      [active, callee, 'reject', 'CALL_ANSWERED'],
      [ringing, caller, 'accept', 'CALL_ANSWERED'],
      [ringing, callee, 'leave', 'CALL_NOT_ANSWERED'],
      [ringing, callee, 'resume', 'CALL_NOT_ANSWERED'],
      [without, other, 'accept', 'CALL_LEFT'],
      [without, other, 'reject', 'CALL_LEFT'],
      [without, other, 'leave', 'CALL_LEFT'],
      [without, other, 'resume', 'CALL_LEFT'],
      ...ACTIONS.map((action): [Call, string, Action, string] => [over, callee, action, 'CALL_OVER']),
      [ringing, IDS[7]!, 'accept', 'CALL_OVER'],
    ];
    for (const [call, userId, action, code] of cases) {
      expect(() => act(call, userId, action, START, deviceOf(userId)), `${action}: ${code}`).to.throw(code);
    }
  });

  it('go forward only, and end for good', () => {
    const after: Record<CallStatus, CallStatus[]> = {
      ringing: ['ringing', 'active', 'rejected', 'missed', 'failed'],
      active: ['active', 'ended'],
      ended: [],
      rejected: [],
      missed: [],
      failed: [],
    };
    forEachChange((change) => {
      expect(after[change.before.status]).to.include(change.after.status);
      expect(change.after.version).to.equal(change.before.version + 1);
      for (const { userId, state } of change.before.participants) {
        if (!isSeated({ state })) expect(participantOf(change.after, userId)?.state).to.equal(state);
      }
    });
  });

  it('live as long as someone is in the call and someone else is, or may yet be', () => {
    forEachChange(({ after }) => {
      const seated = after.participants.filter(isSeated);
      const hasAny = seated.length >= 2 && seated.some(({ state }) => state === 'joined');
      expect(isLive(after)).to.equal(hasAny);
      if (!isLive(after)) expect(seated).to.be.empty;
      expect(after.endedAt !== undefined && after.endReason !== undefined).to.equal(!isLive(after));
      expect(after.status === 'active' || after.status === 'ended').to.equal(after.answeredAt !== undefined);
      for (const { state, device, droppedAt, joinedAt, leftAt } of after.participants) {
        expect(device !== undefined).to.equal(state === 'joined');
        if (droppedAt) expect(state).to.equal('joined');
        if (state === 'left') expect(leftAt).to.be.at.least(joinedAt as never);
      }
    });
  });

  it('have the next time limit written on them, and nothing is due before it', () => {
    forEachChange(({ after }) => {
      const limits = after.participants.flatMap(({ state, droppedAt }) => {
        if (state === 'ringing') return [START.getTime() + RING_MS];
        return droppedAt ? [droppedAt.getTime() + RETURN_MS] : [];
      });
      const next = isLive(after) && limits.length > 0 ? Math.min(...limits) : undefined;
      expect(after.nextAttemptAt?.getTime()).to.equal(next);
      if (next === undefined) {
        expect(expire(after, later(START, 3_600 * SECOND))).to.equal(undefined);
        return;
      }
      expect(expire(after, new Date(next - 1))).to.equal(undefined);
      const expired = expire(after, new Date(next));
      expect(expired?.version).to.equal(after.version + 1);
      if (expired?.nextAttemptAt) expect(expired.nextAttemptAt.getTime()).to.be.above(next);
    });
  });

  it('are told once to each who was in it, and to nobody else', () => {
    forEachChange(({ before, after }) => {
      const told = occurrences(before, after).flatMap(({ audience }) => audience);
      expect(new Set(told).size).to.equal(told.length);
      const seated = before.participants.filter(isSeated).map(({ userId }) => userId.toHexString());
      const shown = (call: Call) =>
        JSON.stringify(call.participants.map(({ state, device, droppedAt }) => [state, device?.socketId, droppedAt]));
      expect(told).to.have.members(shown(before) === shown(after) ? [] : seated);
    });
  });

  it('begin with who is busy, and end at once where all are', () => {
    const [caller, one, other] = IDS as [string, string, string];
    const some = newCall(2, [one]);
    expect(some.participants.map(({ state }) => state)).to.deep.equal(['joined', 'busy', 'ringing']);
    expect(
      occurrences(undefined, some).map(({ type, userIds, audience }) => [type.type, userIds, audience]),
    ).to.deep.equal([
      ['call.missed', [one], [one]],
      ['call.initiated', [other], [caller, other]],
    ]);
    const none = newCall(2, [one, other]);
    expect(none).to.deep.include({ status: 'failed', endReason: 'busy', endedAt: START });
    expect(occurrences(undefined, none).map(({ type, audience }) => [type.type, audience])).to.deep.equal([
      ['call.missed', [one, other]],
      ['call.ended', [caller]],
    ]);
  });
});
