import { createSchemaWriter, type JsonSchema, type SchemaWriter } from './json-schema.js';
import { FORM_TYPE } from './input.js';
import { parametersOf } from './mount.js';
import { problemResponses, problemSchema, sharedResponses } from './openapi-problems.js';
import { type Route } from './route.js';
import { childrenOf, type Schema } from './schema.js';

export interface OpenApiOptions {
  routes: readonly Route[];
  title: string;
  version: string;
  /** Where the routes are mounted: `/api/v1`, or a whole URL. */
  serverUrl: string;
  description?: string;
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description?: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, JsonSchema>>;
  components: Record<string, Record<string, JsonSchema>>;
}

/**
 * The OpenAPI 3.1 document of the routes, made from the very schemas that they validate by.
 * @throws Error where two operations have the same id, or two different schemas the same name
 */
export function openApiDocument({ routes, title, version, serverUrl, description }: OpenApiOptions): OpenApiDocument {
  const writer = createSchemaWriter();
  const paths: OpenApiDocument['paths'] = {};
  const ids = new Set<string>();
  for (const route of routes) {
    const id = operationIdOf(route);
    if (ids.has(id)) throw new Error(`Two operations are called ${id}`);
    ids.add(id);
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route, id, writer) };
  }
  return {
    openapi: '3.1.0',
    info: { title, version, ...(description !== undefined && { description }) },
    servers: [{ url: serverUrl }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...writer.named, Problem: problemSchema },
      responses: sharedResponses,
      parameters: { IdempotencyKey: idempotencyKey },
      headers: sharedHeaders,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

/** The id of an operation: `get /posts/:postId` is `getPostsByPostId` unless the route says otherwise. */
export function operationIdOf(route: Route): string {
  if (route.operationId !== undefined) return route.operationId;
  const words = route.path
    .split('/')
    .filter(Boolean)
    .map((segment) => (segment.startsWith(':') ? `by-${segment.slice(1)}` : segment))
    .flatMap((segment) => segment.split(/[^A-Za-z0-9]+/));
  return route.method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function operation(route: Route, operationId: string, writer: SchemaWriter): JsonSchema {
  const { access, deprecated } = route;
  const body = requestBody(route, writer);
  return {
    operationId,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.tag],
    ...(deprecated && { deprecated: true, 'x-sunset': deprecated.sunset.toISOString() }),
    ...(access.roles && { 'x-roles': access.roles }),
    ...(access.scope !== undefined && { 'x-api-key-scope': access.scope }),
    ...(route.limits && { 'x-rate-limits': route.limits }),
    security: access.signedIn ? [{ bearer: [] }] : [{}, { bearer: [] }],
    parameters: parameters(route, writer),
    ...(body && { requestBody: body }),
    responses: { [route.answer.status]: success(route, writer), ...problemResponses(route) },
  };
}

function parameters(route: Route, writer: SchemaWriter): JsonSchema[] {
  const described = (schema: Schema | undefined, place: 'path' | 'query'): JsonSchema[] =>
    (schema ? childrenOf(schema) : []).map(([name, child]) => ({
      name,
      in: place,
      required: place === 'path' || child.$_getFlag('presence') === 'required',
      schema: writer.write(child, 'input'),
    }));
  // In the order of the path, which is how people read them.
  const names = parametersOf(route.path);
  const inPath = described(route.params, 'path').sort(
    (a, b) => names.indexOf(String(a['name'])) - names.indexOf(String(b['name'])),
  );
  return [
    ...inPath,
    ...described(route.query, 'query'),
    ...(route.idempotent === true ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ];
}

function requestBody(route: Route, writer: SchemaWriter): JsonSchema | undefined {
  if (route.upload) {
    const content = Object.fromEntries(route.upload.map((type) => [type, uploadContent(type, route, writer)]));
    return { required: true, content };
  }
  if (!route.body) return undefined;
  return {
    required: route.body.$_getFlag('presence') !== 'optional',
    content: { [route.form === true ? FORM_TYPE : 'application/json']: { schema: writer.write(route.body, 'input') } },
  };
}

function uploadContent(type: string, { uploadFields }: Route, writer: SchemaWriter): JsonSchema {
  const file = { type: 'string', contentMediaType: 'application/octet-stream' };
  if (type !== 'multipart/form-data') return { schema: file };
  const fields = uploadFields ? childrenOf(uploadFields) : [];
  const required = fields.filter(([, field]) => field.$_getFlag('presence') === 'required').map(([name]) => name);
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, writer.write(field, 'input')]));
  return { schema: { type: 'object', properties: { file, ...properties }, required: ['file', ...required] } };
}

function success({ answer, method, idempotent }: Route, writer: SchemaWriter): JsonSchema {
  const schema = answer.body ? writer.write(answer.body, 'output') : { type: 'string' };
  const hasContent = answer.body !== undefined || answer.contentType !== undefined;
  const headers = ['RateLimit', 'RateLimit-Policy', 'X-Request-Id'];
  if (answer.status === 302) headers.push('Location');
  else if (method === 'get') headers.push('ETag');
  if (idempotent === true) headers.push('Idempotency-Replayed');
  return {
    description: answer.description ?? DESCRIPTIONS[answer.status],
    headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(hasContent && { content: { [answer.contentType ?? 'application/json']: { schema } } }),
  };
}

const DESCRIPTIONS = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted; it will be done',
  204: 'Done, with nothing to say',
  302: 'It goes on elsewhere',
};

const idempotencyKey: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'For 24 hours the same key with the same request gives the first answer again.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
};

const sharedHeaders: Record<string, JsonSchema> = {
  RateLimit: {
    description: 'Per policy: what is left (r) and the seconds until it is full again (t).',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'Per policy: how many requests (q) in how many seconds (w).',
    schema: { type: 'string' },
  },
  'X-Request-Id': { description: 'Names the request in our logs.', schema: { type: 'string' } },
  ETag: { description: 'For `If-None-Match`: what has not changed is answered 304.', schema: { type: 'string' } },
  Location: { description: 'Where it goes on.', schema: { type: 'string', format: 'uri' } },
  'Idempotency-Replayed': {
    description: '`true` where this is the answer of an earlier request.',
    schema: { type: 'string' },
  },
};
