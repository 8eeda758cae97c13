import { isDeepStrictEqual } from 'node:util';
import { childrenOf, type Schema } from './schema.js';

export type JsonSchema = Record<string, unknown>;

/** Whether a schema describes what comes in (defaults may be left out) or what goes out (they are there). */
export type Direction = 'input' | 'output';

/** Writes schemas as JSON Schema, the named ones once each and referred to. */
export interface SchemaWriter {
  /** @throws Error where two different schemas have the same name */
  write(schema: Schema, direction: Direction): JsonSchema;
  /** The named schemas met so far, for `components/schemas`. */
  readonly named: Record<string, JsonSchema>;
}

/** A writer whose references read `#/components/schemas/Name`, as OpenAPI and AsyncAPI both have it. */
export function createSchemaWriter(): SchemaWriter {
  const named: Record<string, JsonSchema> = {};

  function write(schema: Schema, direction: Direction): JsonSchema {
    const name = nameOf(schema);
    const written = name === undefined ? inline(schema, direction) : refer(name, schema, direction);
    return allowsNull(schema) ? withNull(written) : written;
  }

  function refer(name: string, schema: Schema, direction: Direction): JsonSchema {
    const written = inline(schema, direction);
    if (named[name] && !isDeepStrictEqual(named[name], written)) {
      throw new Error(`Two different schemas are named ${name}`);
    }
    named[name] = written;
    return { $ref: `#/components/schemas/${name}` };
  }

  /** Joi's own output, with the parts written by us: Joi would spell out named schemas wherever they occur. */
  function inline(schema: Schema, direction: Direction): JsonSchema {
    const written = schema['~standard'].jsonSchema[direction]({ target: 'draft-2020-12' });
    const part = (one: Schema): JsonSchema => write(one, direction);
    const { items, matches, patterns } = schema.$_terms as Partial<Terms>;
    const children = childrenOf(schema);
    return withoutNull({
      ...written,
      $defs: undefined,
      ...(children.length > 0 && {
        properties: Object.fromEntries(children.map(([key, child]) => [key, part(child)])),
      }),
      ...(patterns?.[0]?.schema && {
        propertyNames: part(patterns[0].schema),
        additionalProperties: part(patterns[0].rule),
        patternProperties: undefined,
      }),
      ...(items?.length === 1 && items[0] && { items: part(items[0]) }),
      ...(matches && { anyOf: matches.map((match) => part(match.schema)) }),
      ...(metaOf(schema, 'jsonSchema') as JsonSchema | undefined),
    });
  }

  return { write, named };
}

/** What Joi keeps of a container; read only here and in `childrenOf`. */
interface Terms {
  items: Schema[];
  matches: { schema: Schema }[] | null;
  patterns: { schema?: Schema; rule: Schema }[] | null;
}

function nameOf(schema: Schema): string | undefined {
  const id: unknown = schema.$_getFlag('id') ?? metaOf(schema, 'name');
  return typeof id === 'string' ? id : undefined;
}

/** The last of the given meta data of that name. */
function metaOf(schema: Schema, name: string): unknown {
  const metas = (schema.$_terms['metas'] ?? []) as Record<string, unknown>[];
  return metas.findLast((meta) => name in meta)?.[name];
}

function allowsNull(schema: Schema): boolean {
  const { _valids: valids } = schema as unknown as { _valids: { has(value: unknown): boolean } | null };
  return valids?.has(null) ?? false;
}

/** Joi says null in several ways, and not for every type; it is taken out here and put back by `withNull`. */
function withoutNull(written: JsonSchema): JsonSchema {
  const { type, ...rest } = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
  if (!Array.isArray(type)) return type === undefined ? rest : { type, ...rest };
  const types = type.filter((one) => one !== 'null');
  return { type: types.length === 1 ? types[0] : types, ...rest };
}

function withNull(written: JsonSchema): JsonSchema {
  const { type, enum: values } = written;
  if (typeof type !== 'string') return { anyOf: [written, { type: 'null' }] };
  return { ...written, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...(values as unknown[]), null] }) };
}
