import { pageOf, pageQuery } from '../../core/http/paging.js';
import { roles, type Route, route } from '../../core/http/route.js';
import { instant, list, named, nullable, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { type ApiKey, SCOPES } from './api-key.model.js';
import { type ApiKeyService } from './api-key.service.js';

const tag = 'api keys';
const scopes = list(oneOf(SCOPES), { min: 1, max: SCOPES.length });

const apiKeyBody = named(
  'NewApiKey',
  shape({ name: text({ max: 80, multiline: false }), scopes }, { expiresAt: instant() }),
);

const facts = {
  id: objectId(),
  name: text(),
  scopes: list(oneOf(SCOPES)),
  createdAt: instant(),
  expiresAt: nullable(instant()),
  lastUsedAt: nullable(instant()),
  revokedAt: nullable(instant()),
};
const apiKeyAnswer = named('ApiKey', shape(facts));
const issuedAnswer = named('IssuedApiKey', shape({ ...facts, key: text() }));

/** Keys for partner systems, in the hands of admins. */
export function apiKeyRoutes(keys: ApiKeyService): Route[] {
  return [
    route({
      method: 'post',
      path: '/api-keys',
      tag,
      summary: 'Issues a key for a partner system',
      description: 'The key is in this answer and nowhere else. It is sent as `Authorization: Bearer …`.',
      access: roles('admin'),
      body: apiKeyBody,
      problems: ['ALREADY_EXPIRED'],
      answer: { status: 201, body: issuedAnswer },
      handle: ({ actor, body }) => keys.issue(actor, body),
      present: ({ apiKey, key }) => ({ ...present(apiKey), key }),
    }),
    route({
      method: 'get',
      path: '/api-keys',
      tag,
      summary: 'The keys that were issued, the newest first',
      access: roles('admin'),
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(apiKeyAnswer) },
      handle: ({ query }) => keys.list(query),
      present: ({ data, nextCursor }) => ({ data: data.map(present), nextCursor }),
    }),
    route({
      method: 'delete',
      path: '/api-keys/:keyId',
      tag,
      summary: 'Revokes a key, at once and for good',
      access: roles('admin'),
      params: shape({ keyId: objectId() }),
      problems: ['API_KEY_NOT_FOUND'],
      answer: { status: 204 },
      handle: ({ actor, params }) => keys.revoke(actor, params.keyId),
    }),
  ];
}

function present({ _id, name, scopes: allowed, createdAt, expiresAt, lastUsedAt, revokedAt }: ApiKey) {
  return {
    id: _id.toHexString(),
    name,
    scopes: allowed,
    createdAt,
    expiresAt: expiresAt ?? null,
    lastUsedAt: lastUsedAt ?? null,
    revokedAt: revokedAt ?? null,
  };
}
