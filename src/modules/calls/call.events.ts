import { defineEvent, type DomainEvent, type EventType } from '../../core/events/event.js';
import { type Infer, instant, list, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { userSummary, type UserSummary } from '../users/index.js';
import { isLive } from './call.machine.js';
import { type Call, CALL_STATUSES, CALL_TYPES, END_REASONS, PARTICIPANT_STATES } from './call.model.js';

const participantFacts = shape(
  { user: userSummary, state: oneOf(PARTICIPANT_STATES) },
  { joinedAt: instant(), leftAt: instant(), deviceId: text(), droppedAt: instant() },
);

const callFacts = shape(
  {
    id: objectId(),
    type: oneOf(CALL_TYPES),
    callerId: objectId(),
    status: oneOf(CALL_STATUSES),
    version: whole({ min: 1 }),
    participants: list(participantFacts),
    startedAt: instant(),
  },
  { answeredAt: instant(), endedAt: instant(), endReason: oneOf(END_REASONS) },
);

/** A call with all who are in it; who may see whom is for those who show it. */
export type CallFacts = Infer<typeof callFacts>;

/** The call as it now is, and to whom this has happened. */
const facts = shape({ call: callFacts, userIds: list(objectId()) });

export type CallEvent = EventType<Infer<typeof facts>>;

/** It rings: at these. */
export const callInitiated = defineEvent('call.initiated', facts);
/** Someone has answered. */
export const callAnswered = defineEvent('call.answered', facts);
/** Someone does not want to answer; the call may go on with others. */
export const callRejected = defineEvent('call.rejected', facts);
/** These were not reached: nobody answered in time, the caller gave up, or they were in another call. */
export const callMissed = defineEvent('call.missed', facts);
/** Someone has left a call that goes on. */
export const callLeft = defineEvent('call.left', facts);
/** A device in the call has vanished, and may come back. */
export const callDropped = defineEvent('call.dropped', facts);
/** Someone goes on in the call from this device. */
export const callResumed = defineEvent('call.resumed', facts);
/** Fewer than two are left, or nobody could be rung. */
export const callEnded = defineEvent('call.ended', facts);

export const callEvents = [
  callInitiated,
  callAnswered,
  callRejected,
  callMissed,
  callLeft,
  callDropped,
  callResumed,
  callEnded,
];

/** Narrows an event to what every event of a call carries. */
export function isCallEvent(event: DomainEvent): event is DomainEvent<Infer<typeof facts>> {
  return callEvents.some(({ type }) => type === event.type);
}

/** The call as events carry it. */
export function factsOf(call: Call, people: ReadonlyMap<string, UserSummary>): CallFacts {
  const { _id, type, callerId, status, version, participants, startedAt, answeredAt, endedAt, endReason } = call;
  return {
    id: _id.toHexString(),
    type,
    callerId: callerId.toHexString(),
    status,
    version,
    participants: participants.map(({ userId, state, joinedAt, leftAt, device, droppedAt }) => ({
      user: personOf(people, userId.toHexString()),
      state,
      ...(joinedAt && { joinedAt }),
      ...(leftAt && { leftAt }),
      ...(device && isLive(call) && { deviceId: device.socketId }),
      ...(droppedAt && { droppedAt }),
    })),
    startedAt,
    ...(answeredAt && { answeredAt }),
    ...(endedAt && { endedAt }),
    ...(endReason && { endReason }),
  };
}

/** Stands in for someone whose account is gone. */
function personOf(people: ReadonlyMap<string, UserSummary>, id: string): UserSummary {
  return people.get(id) ?? { id, name: 'Deleted user', role: 'student' };
}
