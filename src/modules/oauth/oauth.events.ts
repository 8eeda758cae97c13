import { defineEvent } from '../../core/events/event.js';
import { flag, objectId, oneOf, shape } from '../../core/http/schema.js';
import { PROVIDERS } from './providers/index.js';

const facts = { userId: objectId(), identityId: objectId(), provider: oneOf(PROVIDERS) };

/** An account can be signed in to with a provider's account; `isNewAccount` where it was made by that. */
export const identityLinked = defineEvent('identity.linked', shape({ ...facts, isNewAccount: flag() }), {
  traced: true,
});

/** It no longer can. */
export const identityUnlinked = defineEvent('identity.unlinked', shape(facts), { traced: true });

export const oauthEvents = [identityLinked, identityUnlinked];
