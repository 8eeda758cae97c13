import Joi from 'joi';

/** One setting: the environment variable, what it may be, and one sentence for the reader of the README. */
export interface Setting<T> {
  env: string;
  schema: Joi.Schema<T>;
  about: string;
  /** Shown in the table where the default depends on something. */
  defaultText?: string;
}

export function setting<T>(env: string, schema: Joi.Schema<T>, about: string, defaultText?: string): Setting<T> {
  return { env, schema, about, ...(defaultText !== undefined && { defaultText }) };
}

/** What a setting lets through. */
export type ValueOf<S> = S extends Setting<infer T> ? T : never;

export function choice<const T extends string>(...values: T[]): Joi.StringSchema<T> {
  return Joi.string<T>().valid(...values);
}

export const commaSeparated = Joi.string().custom((value: string) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
) as unknown as Joi.Schema<string[]>;

export const url = (...scheme: string[]): Joi.StringSchema => Joi.string().uri({ scheme });
