import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape } from '../../core/http/schema.js';

export const sessionStarted = defineEvent('session.started', shape({ sessionId: objectId(), userId: objectId() }));

/** A session ended: every node forgets it and closes its sockets. */
export const sessionEnded = defineEvent(
  'session.ended',
  shape({ sessionId: objectId(), userId: objectId(), reason: oneOf(['logout', 'reuse'] as const) }),
);
