import { defineEvent } from '../../core/events/event.js';
import { list, objectId, oneOf, shape } from '../../core/http/schema.js';
import { SCOPES } from './api-key.model.js';

export const apiKeyCreated = defineEvent('api-key.created', shape({ keyId: objectId(), scopes: list(oneOf(SCOPES)) }), {
  traced: true,
});
export const apiKeyRevoked = defineEvent('api-key.revoked', shape({ keyId: objectId() }), { traced: true });
