import { type ClientSession } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Visibility } from '../../core/visibility.js';
import { sessionEnded } from '../auth/index.js';
import { userBlocked } from '../privacy/index.js';
import { userDeleted, userSuspended } from '../users/index.js';
import { callAnswered, callInitiated, isCallEvent } from './call.events.js';
import { participantOf, remove, separate } from './call.machine.js';
import { type Call } from './call.model.js';
import { type CallStore } from './call.store.js';

export interface CallListenerDeps {
  store: CallStore;
  visibility: Pick<Visibility, 'hiddenPairs'>;
  clock: Clock;
}

/**
 * Ends what must not go on: calls between two of whom one has blocked the other, and those of whoever is signed out,
 * suspended or gone. A call that begins or is answered at the same moment as a block is heard of too: of the two events
 * whichever comes last finds both written. What is handled once more touches no call that began after it.
 */
export function callListener({ store, visibility, clock }: CallListenerDeps): Listener {
  /** Changes the call that a user is in, or that rings them, if there is one. */
  const inCallOf = async (
    session: ClientSession,
    userId: string,
    change: (call: Call) => Call | undefined,
  ): Promise<void> => {
    const callId = (await store.seatsOf(session, [userId])).get(userId);
    if (callId) await store.changeIfDue(callId, change);
  };

  const part = async (event: DomainEvent): Promise<void> => {
    if (!isCallEvent(event)) return;
    const { call, userIds } = event.data;
    const others = call.participants.filter(({ state }) => state === 'joined').map(({ user }) => user.id);
    const areApart = await visibility.hiddenPairs(userIds, others);
    for (const id of userIds) {
      const other = others.find((one) => areApart(id, one));
      if (other === undefined) continue;
      await store.changeIfDue(call.id, (current) => separate(current, id, other, clock.now()));
    }
  };

  const handle = async (event: DomainEvent, session: ClientSession): Promise<void> => {
    const now = clock.now();
    const isLater = ({ startedAt }: Call): boolean => startedAt > event.at;
    if (isEvent(event, userBlocked)) {
      const { blockerId, blockedId } = event.data;
      await inCallOf(session, blockerId, (call) =>
        isLater(call) ? undefined : separate(call, blockerId, blockedId, now),
      );
    } else if (isEvent(event, sessionEnded)) {
      const { userId, sessionId } = event.data;
      await inCallOf(session, userId, (call) =>
        participantOf(call, userId)?.device?.sessionId === sessionId ? remove(call, userId, now) : undefined,
      );
    } else if (isEvent(event, userDeleted) || (isEvent(event, userSuspended) && event.data.until !== null)) {
      const { userId } = event.data;
      await inCallOf(session, userId, (call) => (isLater(call) ? undefined : remove(call, userId, now)));
    } else await part(event);
  };

  return {
    name: 'calls',
    types: [userBlocked, sessionEnded, userSuspended, userDeleted, callInitiated, callAnswered],
    async handle(events, session) {
      for (const event of events) await handle(event, session);
    },
  };
}
