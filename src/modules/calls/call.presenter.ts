import { type CallFacts } from './call.events.js';
import { type CallAnswer } from './call.schemas.js';

/** A call as one of its participants may see it: without those who are hidden from them. */
export function presentCall(call: CallFacts, viewerId: string, hidden: ReadonlySet<string>): CallAnswer {
  const { id, type, callerId, status, version, participants, startedAt, answeredAt, endedAt, endReason } = call;
  return {
    id,
    type,
    direction: callerId === viewerId ? 'out' : 'in',
    status,
    version,
    participants: participants
      .filter(({ user }) => !hidden.has(user.id))
      .map(({ user, state, joinedAt, leftAt, deviceId, droppedAt }) => ({
        user,
        isCaller: user.id === callerId,
        state,
        ...(joinedAt && { joinedAt }),
        ...(leftAt && { leftAt }),
        ...(deviceId !== undefined && { deviceId }),
        ...(droppedAt && { droppedAt }),
      })),
    startedAt,
    ...(answeredAt && { answeredAt }),
    ...(endedAt && { endedAt }),
    ...(endReason && { endReason }),
  };
}
