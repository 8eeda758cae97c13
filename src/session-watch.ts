import { type DomainEvent, isEvent } from './core/events/event.js';
import { type FeedSubscriber } from './core/events/feed.js';
import { type Connections } from './core/realtime/connections.js';
import { sessionEnded } from './modules/auth/index.js';
import { userSuspended, userUpdated } from './modules/users/index.js';

/** Ends the connections of sessions that end, and looks again at those whose user may no longer do what they could. */
export function sessionWatch(connections: readonly Connections[]): FeedSubscriber {
  return {
    onEvents(events) {
      for (const each of connections) watch(each, events);
    },
  };
}

function watch(connections: Connections, events: readonly DomainEvent[]): void {
  for (const event of events) {
    if (isEvent(event, sessionEnded)) connections.disconnectSession(event.data.sessionId);
    else if (isEvent(event, userSuspended)) connections.recheckUser(event.data.userId);
    else if (isEvent(event, userUpdated) && event.data.changed.includes('role')) {
      connections.recheckUser(event.data.userId);
    }
  }
}
