import { defineEvent } from '../../core/events/event.js';
import { objectId, shape } from '../../core/http/schema.js';

const facts = shape({ blockerId: objectId(), blockedId: objectId() });

/** What follows from a block follows from this; the blocked user is in no audience, and is not told. */
export const userBlocked = defineEvent('user.blocked', facts, { traced: true });
export const userUnblocked = defineEvent('user.unblocked', facts, { traced: true });
