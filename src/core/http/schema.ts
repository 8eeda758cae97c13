import Joi from 'joi';
import { checkText, parseInstant } from './values.js';

/**
 * The parts schemas are built from. A schema validates, gives the TypeScript type (`Infer`) and appears in the
 * OpenAPI document, so that the three cannot disagree.
 *
 * Bodies are validated without Joi's conversions: `"5"` is no number there. What must be normalised all the same
 * (trimming, NFC, lower case) is therefore done in rules, which run in either mode.
 */
export type Schema<T = unknown> = Joi.AnySchema<T>;

/** The type of what a schema lets through. */
export type Infer<S> = S extends Joi.AnySchema<infer T> ? T : never;

type Shape = Readonly<Record<string, Schema>>;
type InferShape<R extends Shape, O extends Shape> = Flat<
  { [K in keyof R]: Infer<R[K]> } & { [K in keyof O]?: Infer<O[K]> }
>;
type Flat<T> = { [K in keyof T]: T[K] };

/** An object with exactly these keys: unknown ones are refused. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- without a second part no keys are added
export function shape<R extends Shape, O extends Shape = Record<never, never>>(
  required: R,
  optional?: O,
): Schema<InferShape<R, O>> {
  const keys = {
    ...Object.fromEntries(Object.entries(required).map(([name, schema]) => [name, unlessOptional(withoutId(schema))])),
    ...Object.fromEntries(Object.entries(optional ?? {}).map(([name, schema]) => [name, withoutId(schema).optional()])),
  };
  return Joi.object<InferShape<R, O>>(keys as Joi.SchemaMap<InferShape<R, O>>);
}

/** The same shape with any other keys beside those it names: for what other systems send, who may add some any day. */
export function open<T extends object>(schema: Schema<T>): Schema<T> {
  return (schema as Joi.ObjectSchema<T>).unknown();
}

/** The same shape, of which the first of these keys may be empty or absent only where the second one is neither. */
export function oneOrOther<T extends object>(
  schema: Schema<T>,
  [one, other]: readonly [keyof T & string, keyof T & string],
): Schema<T> {
  const isGiven = (value: unknown): boolean => value !== undefined && (value as string | unknown[]).length > 0;
  return schema
    .custom((value: T, helpers) => {
      if (isGiven(value[one]) || isGiven(value[other])) return value;
      const { state } = helpers;
      return helpers.error(
        'either.missing',
        {},
        state.localize?.([...(state.path ?? []), one], state.ancestors) ?? state,
      );
    })
    .messages({ 'either.missing': `is required and must not be empty, unless there are ${other}` })
    .description(`It has ${one} or ${other}, or both.`);
}

/** The names of a shape's keys. */
export function keysOf(schema: Schema): string[] {
  return childrenOf(schema).map(([name]) => name);
}

/** The keys of a shape with their schemas; empty for anything else. */
export function childrenOf(schema: Schema): [name: string, schema: Schema][] {
  const children = schema.$_terms['keys'] as { key: string; schema: Schema }[] | null | undefined;
  return (children ?? []).map(({ key, schema: child }) => [key, child]);
}

/** Required, but for what `withDefault` or `perhaps` has marked. */
function unlessOptional(schema: Schema): Schema {
  const marked = schema.$_getFlag('default') !== undefined || schema.$_getFlag('presence') === 'optional';
  return marked ? schema : schema.required();
}

/** Joi refuses two keys of one object whose schemas have the same id; the name in the meta data means the same to us. */
function withoutId(schema: Schema): Schema {
  const id: unknown = schema.$_getFlag('id');
  if (typeof id !== 'string') return schema;
  // Declared as returning nothing, it returns a changed copy.
  const { $_setFlag: setFlag } = schema as unknown as { $_setFlag: (name: string, value: unknown) => Schema };
  return setFlag.call(schema, 'id', undefined).meta({ name: id });
}

/** One of the given strings. */
export function oneOf<const T extends string>(values: readonly T[]): Schema<T> {
  return Joi.string<T>()
    .valid(...values)
    .messages({ 'any.only': `must be one of ${values.join(', ')}` });
}

/** Exactly this value; tells the parts of an `anyOf` apart. */
export function exactly<const T extends string | number | boolean>(value: T): Schema<T> {
  return Joi.any<T>().valid(value);
}

export interface TextOptions {
  /** At least so many characters (code points); 1 unless told. */
  min?: number;
  /** Always given for what comes from clients; answers may leave it out. */
  max?: number;
  /** White space at both ends is dropped, unless this is false (passwords). */
  trim?: boolean;
  /** Whether line breaks and tabs are welcome; true unless told. */
  multiline?: boolean;
}

/** A string in NFC without control characters; its length counts characters, not UTF-16 units. */
export function text(options: TextOptions = {}): Schema<string> {
  const { min = 1, max, trim = true, multiline = true } = options;
  return documented(
    Joi.string()
      // Joi's own rule for empty strings looks before trimming; ours decides alone.
      .min(0)
      .custom((value: string, helpers) => {
        const checked = checkText(value, { min, max: max ?? Infinity, trim, multiline });
        return 'problem' in checked ? helpers.message({ custom: checked.problem }) : checked.value;
      }),
    { minLength: min, ...(max !== undefined && { maxLength: max }) },
  );
}

/** A string that matches `pattern`, which goes into the document as it is. */
export function matching(pattern: RegExp, options: { max: number; message: string }): Schema<string> {
  return Joi.string().max(options.max).pattern(pattern).messages({ 'string.pattern.base': options.message });
}

const OBJECT_ID = /^[0-9a-fA-F]{24}$/;

/** An ObjectId as 24 hexadecimal digits, lowercased. */
export function objectId(): Schema<string> {
  return Joi.string()
    .pattern(OBJECT_ID)
    .custom((value: string) => value.toLowerCase())
    .messages({ 'string.pattern.base': 'must be an id of 24 hexadecimal digits' });
}

/** An ISO 8601 date-time with its zone: a `Date` to the code, a string on the wire in both directions. */
export function instant(): Schema<Date> {
  return documented(
    Joi.any<Date>().custom((value: unknown, helpers) => {
      const date = parseInstant(value);
      return date ?? helpers.message({ custom: 'must be an ISO 8601 date-time with a time zone' });
    }),
    { type: 'string', format: 'date-time' },
  );
}

/** A whole number. */
export function whole(options: { min?: number; max?: number } = {}): Schema<number> {
  return between(Joi.number().integer(), options);
}

/** Any finite number. */
export function decimal(options: { min?: number; max?: number } = {}): Schema<number> {
  return between(Joi.number(), options);
}

function between(schema: Joi.NumberSchema, { min, max }: { min?: number; max?: number }): Schema<number> {
  const atLeast = min === undefined ? schema : schema.min(min);
  return max === undefined ? atLeast : atLeast.max(max);
}

/** True or false. */
export function flag(): Schema<boolean> {
  return Joi.boolean();
}

const MAX_EMAIL = 254;

/** An e-mail address, trimmed and lowercased. Any top-level domain is taken: the list grows faster than releases. */
export function email(): Schema<string> {
  return Joi.string()
    .custom((value: string) => value.normalize('NFC').trim().toLowerCase())
    .max(MAX_EMAIL)
    .email({ tlds: false });
}

/** An array of `item`; `max` is always given for what comes from clients. */
export function list<T>(
  item: Schema<T>,
  { min = 0, max, unique = false }: { max?: number; min?: number; unique?: boolean } = {},
): Schema<T[]> {
  const items = Joi.array<T[]>().items(item).min(min);
  const limited = max === undefined ? items : items.max(max);
  return unique ? limited.unique() : limited;
}

/** The same for query strings, where a single `?tag=a` is a list of one. */
export function listInQuery<T>(item: Schema<T>, options: { max: number }): Schema<T[]> {
  return Joi.array<T[]>().items(item).max(options.max).single();
}

/** An object of any keys that `key` allows, such as counts by kind. Keys that are absent are `undefined`. */
export function record<K extends string, T>(
  key: Schema<K> | readonly K[],
  value: Schema<T>,
  options: { max?: number } = {},
): Schema<Partial<Record<K, T>>> {
  const keys = Joi.isSchema(key) ? key : oneOf(key);
  const schema = Joi.object<Partial<Record<K, T>>>().pattern(keys, value.required());
  return options.max === undefined ? schema : schema.max(options.max);
}

/** `null` as well. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return schema.allow(null);
}

/** Fits at least one of the schemas. */
export function anyOf<const S extends readonly Schema[]>(schemas: S): Schema<Infer<S[number]>> {
  return Joi.alternatives<Infer<S[number]>>().try(...schemas);
}

/** `value` where nothing was given; listed among the required keys of a shape, since the code always gets one. */
export function withDefault<T>(schema: Schema<T>, value: NoInfer<T>): Schema<T> {
  return schema.default(value as Joi.BasicType);
}

/** May be absent even where a shape lists it among its required keys. */
export function perhaps<T>(schema: Schema<T>): Schema<T | undefined> {
  return schema.optional();
}

/** Anything JSON can say; for data that is passed on unread. */
export function anything(): Schema {
  return Joi.any<unknown>();
}

/** A schema that the document lists under `name` and refers to. */
export function named<T>(name: string, schema: Schema<T>): Schema<T> {
  return schema.meta({ name });
}

/** A schema with a sentence for the document. */
export function described<T>(schema: Schema<T>, description: string): Schema<T> {
  return schema.description(description);
}

/** Adds what our own rules mean in JSON Schema, since Joi can describe only its own. */
function documented<T>(schema: Schema<T>, jsonSchema: Record<string, unknown>): Schema<T> {
  return schema.meta({ jsonSchema });
}
