import {
  callAnswered,
  callDropped,
  callEnded,
  type CallEvent,
  callInitiated,
  callLeft,
  callMissed,
  callRejected,
  callResumed,
} from './call.events.js';
import { isSeated } from './call.machine.js';
import { type Call, type CallStatus, type Participant } from './call.model.js';

/** What has happened to whom, and who is to hear it. */
export interface Occurrence {
  type: CallEvent;
  userIds: string[];
  audience: string[];
}

/** A participant before and after a change; before a call begins there is nobody. */
interface Change {
  id: string;
  was: Participant | undefined;
  is: Participant;
}

/** What can have happened to a participant. */
const KINDS: readonly [CallEvent, (change: Change) => boolean][] = [
  [callInitiated, ({ was, is }) => !was && is.state === 'ringing'],
  [callAnswered, ({ was, is }) => was?.state === 'ringing' && is.state === 'joined'],
  [callLeft, ({ was, is }) => was?.state === 'joined' && is.state === 'left'],
  [callRejected, ({ was, is }) => was?.state === 'ringing' && is.state === 'rejected'],
  [callMissed, ({ was, is }) => (was ? was.state === 'ringing' && is.state === 'missed' : is.state === 'busy')],
  [callDropped, ({ was, is }) => was?.droppedAt === undefined && is.droppedAt !== undefined],
  [callResumed, ({ was, is }) => was?.state === 'joined' && is.state === 'joined' && hasComeBack(was, is)],
];

/** What tells that a call is over. */
const CLOSING: Partial<Record<CallStatus, CallEvent>> = {
  ended: callEnded,
  failed: callEnded,
  missed: callMissed,
  rejected: callRejected,
};

/**
 * What a change of a call amounts to, if anything that others should know of: nobody hears of it twice, and those who
 * were out of the call before do not hear of it.
 * @param before absent where the call has begun
 */
export function occurrences(before: Call | undefined, after: Call): Occurrence[] {
  const changes = after.participants.map((is): Change => {
    return { id: is.userId.toHexString(), is, was: before?.participants.find((one) => one.userId.equals(is.userId)) };
  });
  const ids = (fits: (change: Change) => boolean): string[] => changes.filter(fits).map(({ id }) => id);
  const found = KINDS.map(([type, fits]): [CallEvent, string[]] => [type, ids(fits)]);
  const happened = new Map(found.filter(([, { length }]) => length > 0));
  const main = CLOSING[after.status] ?? [...happened.keys()][0];
  if (!main) return [];
  const concerned = ids(({ was, is }) => isSeated(was ?? is) || !before);
  const missed = happened.get(callMissed) ?? [];
  const userIds = happened.get(main === callEnded ? callLeft : main) ?? [];
  if (missed.length === 0 || main === callMissed) return [{ type: main, userIds, audience: concerned }];
  return [
    { type: callMissed, userIds: missed, audience: missed },
    { type: main, userIds, audience: concerned.filter((id) => !missed.includes(id)) },
  ];
}

function hasComeBack(was: Participant, is: Participant): boolean {
  if (is.droppedAt) return false;
  return was.droppedAt !== undefined || was.device?.socketId !== is.device?.socketId;
}
