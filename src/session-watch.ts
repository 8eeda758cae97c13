import { isEvent } from './core/events/event.js';
import { type FeedSubscriber } from './core/events/feed.js';
import { type Hub } from './core/realtime/hub.js';
import { sessionEnded } from './modules/auth/index.js';
import { userSuspended, userUpdated } from './modules/users/index.js';

/** Closes the sockets of sessions that end, and looks again at those whose user may no longer do what they could. */
export function sessionWatch(hub: Hub): FeedSubscriber {
  return {
    onEvents(events) {
      for (const event of events) {
        if (isEvent(event, sessionEnded)) hub.disconnectSession(event.data.sessionId);
        else if (isEvent(event, userSuspended)) hub.recheckUser(event.data.userId);
        else if (isEvent(event, userUpdated) && event.data.changed.includes('role')) {
          hub.recheckUser(event.data.userId);
        }
      }
    },
  };
}
