import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Visibility } from '../../core/visibility.js';
import { userBlocked } from '../privacy/index.js';
import { connectionAccepted, connectionRequested } from './connection.events.js';
import { type ConnectionService } from './connection.service.js';
import { followStarted } from './follow.events.js';
import { type FollowService } from './follow.service.js';

export interface TieDeps {
  connections: ConnectionService;
  follows: FollowService;
  visibility: Visibility;
}

/**
 * Ends what ties two users together when one blocks the other. A tie made at the same moment is heard of too: of the
 * two events whichever comes last finds both written.
 */
export function tieListener({ connections, follows, visibility }: TieDeps): Listener {
  return {
    name: 'ties',
    types: [userBlocked, connectionRequested, connectionAccepted, followStarted],
    async handle(events, session) {
      const pairs = events.flatMap((event) => pairOf(event) ?? []);
      const apart = await visibility.hiddenPairs(
        pairs.map(({ one }) => one),
        pairs.map(({ other }) => other),
      );
      for (const { one, other, blockedAt } of pairs) {
        // Of a block that was taken back at once only what was there before it is ended.
        const until = apart(one, other) ? undefined : blockedAt;
        if (!apart(one, other) && until === undefined) continue;
        await connections.sever(session, one, other, until);
        await follows.sever(session, one, other, until);
      }
    },
  };
}

interface Pair {
  one: string;
  other: string;
  blockedAt?: Date;
}

/** Two users who had, or may have made, a tie. */
function pairOf(event: DomainEvent): Pair | undefined {
  if (isEvent(event, userBlocked)) {
    return { one: event.data.blockerId, other: event.data.blockedId, blockedAt: event.at };
  }
  if (isEvent(event, connectionRequested) || isEvent(event, connectionAccepted)) {
    return { one: event.data.requesterId, other: event.data.addresseeId };
  }
  if (isEvent(event, followStarted) && event.data.kind === 'user') {
    return { one: event.data.followerId, other: event.data.target };
  }
  return undefined;
}
