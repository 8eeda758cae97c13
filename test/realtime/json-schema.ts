import { type Json } from '../support/api.js';

type Schema = Record<string, Json>;

/**
 * What is wrong with a value by a JSON Schema, as far as our documents use it; keywords it does not know are an error,
 * so that none is passed over.
 */
export function mismatches(document: unknown, schema: Schema, value: unknown, at = '$'): string[] {
  const check = (one: Schema, part: unknown, place: string): string[] => mismatches(document, one, part, place);
  return Object.entries(schema).flatMap(([keyword, wanted]): string[] => {
    switch (keyword) {
      case '$ref':
        return check(resolve(document, wanted as string), value, at);
      case 'type':
        return ([wanted].flat() as string[]).some((type) => isOf(type, value)) ? [] : [`${at} is no ${String(wanted)}`];
      case 'const':
        return value === wanted ? [] : [`${at} is not ${String(wanted)}`];
      case 'enum':
        return (wanted as unknown[]).includes(value) ? [] : [`${at} is none of ${String(wanted)}`];
      case 'pattern':
        return typeof value !== 'string' || new RegExp(wanted as string, 'u').test(value)
          ? []
          : [`${at} is not ${String(wanted)}`];
      case 'uniqueItems':
        return !Array.isArray(value) || new Set(value.map((one) => JSON.stringify(one))).size === value.length
          ? []
          : [`${at} has an item twice`];
      case 'anyOf':
        return (wanted as Schema[]).some((one) => check(one, value, at).length === 0)
          ? []
          : [`${at} fits none of anyOf`];
      case 'minLength':
        return typeof value !== 'string' || Array.from(value).length >= wanted ? [] : [`${at} is too short`];
      case 'maxLength':
        return typeof value !== 'string' || Array.from(value).length <= wanted ? [] : [`${at} is too long`];
      case 'minItems':
        return !Array.isArray(value) || value.length >= wanted ? [] : [`${at} has too few items`];
      case 'maxItems':
        return !Array.isArray(value) || value.length <= wanted ? [] : [`${at} has too many items`];
      case 'uniqueItems':
        return !Array.isArray(value) || new Set(value).size === value.length ? [] : [`${at} has an item twice`];
      case 'maximum':
        return typeof value !== 'number' || value <= wanted ? [] : [`${at} is too large`];
      case 'minimum':
        return typeof value !== 'number' || value >= wanted ? [] : [`${at} is too small`];
      case 'required':
        return (wanted as string[])
          .filter((key) => !isObject(value) || !(key in value))
          .map((key) => `${at} lacks ${key}`);
      case 'properties':
        return isObject(value)
          ? Object.entries(value).flatMap(([key, part]) =>
              key in wanted ? check(wanted[key], part, `${at}.${key}`) : [],
            )
          : [];
      case 'additionalProperties': {
        const extra = isObject(value) ? Object.keys(value).filter((key) => !(key in (schema['properties'] ?? {}))) : [];
        if (wanted === false) return extra.map((key) => `${at} has ${key}`);
        return extra.flatMap((key) => check(wanted, (value as Schema)[key], `${at}.${key}`));
      }
      case 'propertyNames':
        return isObject(value) ? Object.keys(value).flatMap((key) => check(wanted, key, `${at} key ${key}`)) : [];
      case 'items':
        return Array.isArray(value) ? value.flatMap((item, index) => check(wanted, item, `${at}[${index}]`)) : [];
      case 'anyOf':
        return (wanted as Schema[]).some((one) => check(one, value, at).length === 0) ? [] : [`${at} fits no choice`];
      case 'oneOf': {
        const fitting = (wanted as Schema[]).filter((one) => check(one, value, at).length === 0);
        return fitting.length === 1 ? [] : [`${at} fits ${fitting.length} of the choices`];
      }
      case 'format':
        if (wanted !== 'date-time') return [];
        return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? [] : [`${at} is no time`];
      case 'default':
      case 'description':
      case 'title':
        return [];
    }
    throw new Error(`"${keyword}" is not known here`);
  });
}

/** What a reference within the document names. */
export function resolve(document: unknown, reference: string): Schema {
  const found = reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((part: Json, key) => part?.[key], document);
  if (found === undefined) throw new Error(`${reference} leads nowhere`);
  return found;
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
