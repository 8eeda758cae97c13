import { type ObjectId } from 'mongodb';
import { later, SECOND } from '../../core/clock.js';
import { conflict, type Problem } from '../../core/http/problem.js';
import {
  type Call,
  type CallDevice,
  type CallStatus,
  type EndReason,
  type Participant,
  type ParticipantState,
} from './call.model.js';

/** For how long nobody need answer. */
export const RING_MS = 30 * SECOND;
/** For how long the place of a device that vanished is kept. */
export const RETURN_MS = 20 * SECOND;

/** What can befall a participant: the first four are their own doing. */
export const STEPS = ['accept', 'reject', 'leave', 'resume', 'drop', 'miss'] as const;
export type Step = (typeof STEPS)[number];
export type Action = Extract<Step, 'accept' | 'reject' | 'leave' | 'resume'>;

/** What becomes of a participant by which step; what is not here is refused. */
export const NEXT: Readonly<Record<ParticipantState, Partial<Record<Step, ParticipantState>>>> = {
  ringing: { accept: 'joined', reject: 'rejected', miss: 'missed' },
  joined: { leave: 'left', resume: 'joined', drop: 'joined' },
  left: {},
  rejected: {},
  missed: {},
  busy: {},
};

const LIVE_STATUSES: readonly CallStatus[] = ['ringing', 'active'];
const LIVE_STATES: readonly ParticipantState[] = ['ringing', 'joined'];

/** Whether anything can still happen in it. */
export function isLive({ status }: Pick<Call, 'status'>): boolean {
  return LIVE_STATUSES.includes(status);
}

/** Whether the participant is in the call, or may yet be: has a seat. */
export function isSeated({ state }: Pick<Participant, 'state'>): boolean {
  return LIVE_STATES.includes(state);
}

export function participantOf(call: Call, userId: ObjectId | string): Participant | undefined {
  return call.participants.find((participant) => participant.userId.equals(userId));
}

/** A call as it begins: everyone rings but those who are busy. Where all are, it is over. */
export function begin(
  facts: Pick<Call, '_id' | 'type' | 'callerId'> & { device: CallDevice; calleeIds: ObjectId[]; busy: Set<string> },
  now: Date,
): Call {
  const { _id, type, callerId, device, calleeIds, busy } = facts;
  const call: Call = {
    _id,
    type,
    callerId,
    participants: [
      { userId: callerId, state: 'joined', joinedAt: now, device },
      ...calleeIds.map((userId): Participant => {
        return { userId, state: busy.has(userId.toHexString()) ? 'busy' : 'ringing' };
      }),
    ],
    status: 'ringing',
    version: 1,
    startedAt: now,
  };
  return settle(call, 'busy', now);
}

/**
 * The call after something a participant did, from a device where it takes one.
 * @throws Problem 409 `CALL_OVER`, `CALL_ANSWERED`, `CALL_NOT_ANSWERED`, `CALL_LEFT` where that cannot be done now
 */
export function act(call: Call, userId: string, action: Action, now: Date, device?: CallDevice): Call {
  const participant = participantOf(call, userId);
  if (!isLive(call) || !participant) throw over();
  if (NEXT[participant.state][action] === undefined) throw refusal(participant.state);
  return step(call, [[participant, action]], now, { device, reason: action === 'reject' ? 'rejected' : undefined });
}

/** The call after a device has vanished; undefined where it is not the one in the call, or is known to be away. */
export function drop(call: Call, userId: string, socketId: string, now: Date): Call | undefined {
  const participant = participantOf(call, userId);
  if (!isLive(call) || participant?.device?.socketId !== socketId || participant.droppedAt) return undefined;
  return step(call, [[participant, 'drop']], now, {});
}

/** The call after a device is known to be there on another node; undefined where it is not the one in the call. */
export function reattach(call: Call, userId: string, device: CallDevice, now: Date): Call | undefined {
  const participant = participantOf(call, userId);
  if (!isLive(call) || participant?.device?.socketId !== device.socketId) return undefined;
  if (participant.device.nodeId === device.nodeId && !participant.droppedAt) return undefined;
  return step(call, [[participant, 'resume']], now, { device });
}

/** The call without a participant who may not be in it; undefined where they are not. Nobody is told why. */
export function remove(call: Call, userId: string, now: Date): Call | undefined {
  const participant = participantOf(call, userId);
  if (!isLive(call) || !participant || !isSeated(participant)) return undefined;
  const rings = participant.state === 'ringing';
  return step(call, [[participant, rings ? 'reject' : 'leave']], now, { reason: rings ? 'rejected' : undefined });
}

/**
 * The call without one of two who must not be in it together: who rings leaves the one who is in it alone, and of two in
 * it goes the one who wants to be apart. Undefined where the two are not in it.
 */
export function separate(call: Call, wantingId: string, otherId: string, now: Date): Call | undefined {
  const [wanting, other] = [participantOf(call, wantingId), participantOf(call, otherId)];
  if (!wanting || !other || !isSeated(wanting) || !isSeated(other)) return undefined;
  const isOtherToGo = wanting.state === 'joined' && other.state === 'ringing';
  return remove(call, isOtherToGo ? otherId : wantingId, now);
}

/** The call after those time limits that are over; undefined where none is. */
export function expire(call: Call, now: Date): Call | undefined {
  if (!isLive(call)) return undefined;
  const due = call.participants.filter((participant) => {
    const limit = limitOf(call, participant);
    return limit !== undefined && limit <= now;
  });
  if (due.length === 0) return undefined;
  const steps = due.map((one): [Participant, Step] => [one, one.state === 'ringing' ? 'miss' : 'leave']);
  return step(call, steps, now, { reason: due.some(({ state }) => state === 'joined') ? 'connectionLost' : 'timeout' });
}

interface StepFacts {
  device?: CallDevice | undefined;
  reason?: EndReason | undefined;
}

function step(call: Call, steps: [Participant, Step][], now: Date, facts: StepFacts): Call {
  const taken = new Map(steps);
  const participants = call.participants.map((participant) => {
    const what = taken.get(participant);
    return what ? stepped(participant, what, now, facts) : participant;
  });
  const isAnswered = steps.some(([, what]) => what === 'accept');
  const changed: Call = {
    ...call,
    participants,
    version: call.version + 1,
    ...(isAnswered && call.status === 'ringing' && { status: 'active' as const, answeredAt: now }),
  };
  return settle(changed, facts.reason ?? (changed.answeredAt ? 'hungUp' : 'cancelled'), now);
}

function stepped(participant: Participant, what: Step, now: Date, { device }: StepFacts): Participant {
  const { userId, joinedAt, device: former } = participant;
  const state = NEXT[participant.state][what];
  if (state === undefined) throw refusal(participant.state);
  if (state !== 'joined') return { userId, state, ...(joinedAt && { joinedAt, leftAt: now }) };
  const current = device ?? former;
  return {
    userId,
    state,
    joinedAt: joinedAt ?? now,
    ...(current && { device: current }),
    ...(what === 'drop' && { droppedAt: now }),
  };
}

/** Ends a call in which fewer than two are left, and says when something is due in any other. */
function settle(call: Call, reason: EndReason, now: Date): Call {
  const { nextAttemptAt: _former, ...rest } = call;
  const seated = call.participants.filter(isSeated);
  if (seated.length >= 2 && seated.some(({ state }) => state === 'joined')) {
    const limits = call.participants.map((one) => limitOf(call, one)?.getTime() ?? Infinity);
    const next = Math.min(...limits);
    return Number.isFinite(next) ? { ...rest, nextAttemptAt: new Date(next) } : rest;
  }
  const participants = call.participants.map((one) =>
    isSeated(one) ? stepped(one, one.state === 'ringing' ? 'miss' : 'leave', now, {}) : one,
  );
  return { ...rest, participants, endedAt: now, ...outcome({ ...rest, participants }, reason) };
}

/** As what a call ends: the one that was not answered by what most became of those who were asked. */
function outcome(call: Call, reason: EndReason): Pick<Call, 'status' | 'endReason'> {
  if (call.answeredAt) return { status: 'ended', endReason: reason };
  if (reason === 'connectionLost') return { status: 'failed', endReason: reason };
  const callees = call.participants.filter(({ userId }) => !userId.equals(call.callerId));
  const has = (state: ParticipantState): boolean => callees.some((one) => one.state === state);
  if (has('missed')) return { status: 'missed', endReason: reason === 'cancelled' ? 'cancelled' : 'timeout' };
  if (has('rejected')) return { status: 'rejected', endReason: 'rejected' };
  return { status: 'failed', endReason: 'busy' };
}

/** When what a participant is in cannot go on by itself any longer. */
function limitOf({ startedAt }: Call, { state, droppedAt }: Participant): Date | undefined {
  if (state === 'ringing') return later(startedAt, RING_MS);
  return droppedAt && later(droppedAt, RETURN_MS);
}

function refusal(state: ParticipantState): Problem {
  if (state === 'joined') return conflict('CALL_ANSWERED', 'You are in this call already, perhaps on another device.');
  if (state === 'ringing') return conflict('CALL_NOT_ANSWERED', 'Answer the call first.');
  return conflict('CALL_LEFT', 'You are out of this call.');
}

function over(): Problem {
  return conflict('CALL_OVER', 'This call is over.');
}
