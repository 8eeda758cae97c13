import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { LOCALES, ROLES } from './user.model.js';

const facts = shape({ userId: objectId(), name: text(), role: oneOf(ROLES), locale: oneOf(LOCALES) });

export const userCreated = defineEvent('user.created', facts);
/** Carries the user as it now is; whoever keeps a copy of any of it drops that copy. */
export const userUpdated = defineEvent('user.updated', facts);
