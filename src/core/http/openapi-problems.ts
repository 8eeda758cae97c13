import { type JsonSchema } from './json-schema.js';
import { type Route } from './route.js';

/** RFC 9457, with our additions. */
export const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; what programs decide by.' },
    detail: { type: 'string', description: 'For people.' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const SHARED: Readonly<Record<string, { status: number; description: string }>> = {
  BadRequest: { status: 400, description: 'The request does not fit this description.' },
  Unauthorized: { status: 401, description: 'No valid access token.' },
  Forbidden: { status: 403, description: 'Known, but not allowed.' },
  NotFound: { status: 404, description: 'There is no such thing, or it is not for your eyes.' },
  Conflict: {
    status: 409,
    description: 'At odds with what is stored, or an Idempotency-Key used for another request.',
  },
  ContentTooLarge: { status: 413, description: 'The body is too large.' },
  UnsupportedMediaType: { status: 415, description: 'The body has another content type.' },
  TooManyRequests: { status: 429, description: 'Over a rate limit; `Retry-After` says how long.' },
};

/** The problems that many routes share, for `components/responses`. */
export const sharedResponses: Record<string, JsonSchema> = {
  ...Object.fromEntries(Object.entries(SHARED).map(([name, { description }]) => [name, problem(description)])),
  Unexpected: problem(
    'Something went wrong on our side (500), or the database is out of reach or there is too much to do just now (503, with `Retry-After`).',
  ),
};

/** The problems a route may answer with, by status. */
export function problemResponses(route: Route): Record<string, JsonSchema> {
  const takesBody = Boolean(route.body ?? route.upload);
  const may: Record<string, boolean> = {
    BadRequest: true,
    Unauthorized: true,
    Forbidden: Boolean(route.access.roles ?? route.policy),
    NotFound: Boolean(route.load ?? route.policy),
    Conflict: route.idempotent === true,
    ContentTooLarge: takesBody,
    UnsupportedMediaType: takesBody,
    TooManyRequests: true,
  };
  const shared = Object.entries(SHARED).filter(([name]) => may[name]);
  const codes = [...new Set([...(route.missing === undefined ? [] : [route.missing]), ...(route.problems ?? [])])];
  return {
    ...Object.fromEntries(shared.map(([name, { status }]) => [String(status), reference(name)])),
    ...(codes.length > 0 && { '4XX': ownProblems(codes) }),
    default: reference('Unexpected'),
  };
}

function reference(name: string): JsonSchema {
  return { $ref: `#/components/responses/${name}` };
}

function ownProblems(codes: string[]): JsonSchema {
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { examples: codes } } }],
  };
  return {
    description: `Among others: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    content: { 'application/problem+json': { schema } },
  };
}

function problem(description: string): JsonSchema {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
