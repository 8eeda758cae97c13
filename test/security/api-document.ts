import { type Json } from '../support/api.js';
import { type Api } from '../support/campus.js';

/** JSON Schema, as far as the document uses it. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  contentMediaType?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  /** Whether it is one of several shapes that would do. */
  isChoice?: boolean;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required?: boolean;
  schema: JsonSchema;
}

/** One operation of the OpenAPI document, with its references followed. */
export interface Operation {
  method: string;
  /** With its parameters in braces. */
  path: string;
  parameters: Parameter[];
  body?: JsonSchema;
  /** Whether the body may be left out. */
  bodyIsOptional: boolean;
  /** Whether it takes a file. */
  upload: boolean;
  signedIn: boolean;
  roles: string[];
  idempotent: boolean;
  /** Whether it has a limit of its own beside the global one. */
  limited: boolean;
}

interface RawOperation {
  parameters: (Parameter & { $ref?: string })[];
  /** Uploads have other content types. */
  requestBody?: { required?: boolean; content: Record<string, { schema: JsonSchema } | undefined> };
  security: object[];
  'x-roles'?: string[];
  'x-rate-limits'?: object[];
}

interface RawDocument {
  paths: Record<string, Record<string, RawOperation>>;
  components: { schemas: Record<string, JsonSchema> };
}

/** Every operation that the running server documents: tests driven by it cover routes that do not exist yet. */
export async function operationsOf(api: Api): Promise<Operation[]> {
  const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as RawDocument;
  const follow = (schema: JsonSchema): JsonSchema => {
    // Of several shapes the first is as good as any.
    if (schema.anyOf) return { ...follow(schema.anyOf[0]!), isChoice: true };
    if (schema.$ref !== undefined) return follow(document.components.schemas[schema.$ref.split('/').at(-1)!]!);
    return {
      ...schema,
      ...(schema.items && { items: follow(schema.items) }),
      ...(schema.properties && {
        properties: Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, follow(one)])),
      }),
    };
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => ({
      method: method.toUpperCase(),
      path,
      parameters: raw.parameters.filter(({ $ref }) => $ref === undefined),
      ...bodyOf(raw, follow),
      signedIn: raw.security.every((choice) => Object.keys(choice).length > 0),
      roles: raw['x-roles'] ?? [],
      limited: raw['x-rate-limits'] !== undefined,
      idempotent: raw.parameters.some(({ $ref }) => $ref?.endsWith('/IdempotencyKey') ?? false),
    })),
  );
}

function bodyOf({ requestBody }: RawOperation, follow: (schema: JsonSchema) => JsonSchema) {
  const content = requestBody?.content['application/json'];
  // What is read as it came is to the document what a file is.
  const json = content?.schema.contentMediaType === undefined ? content : undefined;
  return {
    ...(json && { body: follow(json.schema) }),
    bodyIsOptional: json !== undefined && requestBody?.required !== true,
    upload: requestBody !== undefined && !json,
  };
}

/** The path with the given values, and an unknown id for every other parameter. */
export function pathOf({ path }: Operation, ids: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_braces, name: string) => ids[name] ?? 'f'.repeat(24));
}

/** What must stand in its query, as `?direction=in`. */
export function queryOf({ parameters }: Operation): string {
  const required = parameters.filter((one) => one.in === 'query' && one.required === true);
  return `?${required.map(({ name, schema }) => `${name}=${String(sample(schema))}`).join('&')}`;
}

/** Values for patterns that a test cannot make up by itself. */
const FITTING = [
  'f'.repeat(24),
  '000000',
  'B'.repeat(87),
  'a'.repeat(22),
  'token:of-a_phone',
  '/page',
  '22:00',
  '2030-01-01',
  'day',
  '👍',
];

/** Something that fits the schema, with every key. */
export function sample(schema: JsonSchema): unknown {
  const { type, enum: values, pattern, format, minLength = 1, items, properties } = schema;
  if (values) return values[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, sample(one)]));
    case 'array':
      return [sample(items!)];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
  }
  if (format === 'email') return 'somebody@campus.test';
  if (format === 'date-time') return '2030-01-01T00:00:00Z';
  if (pattern === undefined) return 'x'.repeat(minLength);
  const fitting = FITTING.find((value) => new RegExp(pattern, 'u').test(value));
  if (fitting === undefined) throw new Error(`add something that fits ${pattern}`);
  return fitting;
}

export interface Field {
  path: (string | number)[];
  schema: JsonSchema;
}

/** Every field of a body, however deep, the items of lists included. */
export function fieldsOf(schema: JsonSchema, path: (string | number)[] = []): Field[] {
  const children: Field[] = [
    ...Object.entries(schema.properties ?? {}).map(([name, one]) => ({ path: [...path, name], schema: one })),
    ...(schema.items ? [{ path: [...path, 0], schema: schema.items }] : []),
  ];
  return children.flatMap((field) => [field, ...fieldsOf(field.schema, field.path)]);
}

/** A copy of the value with another one at that place. */
export function withAt(value: unknown, [key, ...rest]: (string | number)[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const copy: Json = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  copy[key] = withAt(copy[key], rest, replacement);
  return copy;
}
