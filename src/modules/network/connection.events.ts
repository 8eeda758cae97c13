import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape } from '../../core/http/schema.js';

const parties = { connectionId: objectId(), requesterId: objectId(), addresseeId: objectId() };

export const connectionRequested = defineEvent('connection.requested', shape(parties));
export const connectionAccepted = defineEvent('connection.accepted', shape(parties));
export const connectionRejected = defineEvent('connection.rejected', shape(parties));
/** A request was withdrawn or a connection ended, by either or by a block. */
export const connectionRemoved = defineEvent(
  'connection.removed',
  shape({ ...parties, was: oneOf(['requested', 'accepted'] as const) }),
);

export const connectionEvents = [connectionRequested, connectionAccepted, connectionRejected, connectionRemoved];
