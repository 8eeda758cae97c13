import { type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import express, { type Request, type Response } from 'express';
import { fieldErrors, validationFailed } from './problem-mapping.js';
import { badRequest, type FieldError, unsupportedMediaType } from './problem.js';
import { type Route } from './route.js';
import { shape, type Schema } from './schema.js';

/** The content type of a form without files. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** What a route takes, as its schemas let it through. */
export interface Input {
  params: unknown;
  query: unknown;
  body: unknown;
}

const JSON_ONLY = ['application/json'];
const FORM_ONLY = [FORM_TYPE];
const NOTHING = shape({});

const parse = promisify<IncomingMessage, ServerResponse>(express.json({ limit: '1mb', type: JSON_ONLY, strict: true }));
const parseForm = promisify<IncomingMessage, ServerResponse>(
  express.urlencoded({ limit: '1mb', type: FORM_ONLY, extended: false, parameterLimit: 100 }),
);

/**
 * Reads and validates what a request brings. Parameters and query are strings and are converted; bodies are not.
 * @throws Problem 400, 413 or 415
 */
export async function readInput(route: Route, request: Request, response: Response): Promise<Input> {
  if (route.upload) checkUpload(route.upload, request);
  const body = route.upload ? undefined : await readBody(route, request, response);
  const errors: FieldError[] = [];
  const input: Input = {
    params: validate(route.params ?? NOTHING, request.params, 'params', errors),
    query: validate(route.query ?? NOTHING, request.query, 'query', errors),
    body: route.body ? validate(route.body, body, 'body', errors) : undefined,
  };
  if (!route.body && body !== undefined) validate(NOTHING, body, 'body', errors);
  if (errors.length > 0) throw validationFailed(errors);
  return input;
}

// Listing everything that is wrong with a body of a million items would take longer than anything else here.
const MANY_VALUES = 2_000;

function validate(schema: Schema, given: unknown, source: keyof Input, errors: FieldError[]): unknown {
  const isBody = source === 'body';
  const { value, error } = schema.validate(given, {
    convert: !isBody,
    abortEarly: isBody && countValues(given, MANY_VALUES) >= MANY_VALUES,
    errors: { label: false },
  }) as { value: unknown; error?: Parameters<typeof fieldErrors>[0] };
  if (error) errors.push(...fieldErrors(error, source));
  return value;
}

async function readBody(route: Route, request: Request, response: Response): Promise<unknown> {
  if (!hasBody(request)) {
    const isNeeded = route.body && route.body.$_getFlag('presence') !== 'optional';
    if (isNeeded)
      throw badRequest('BODY_REQUIRED', `This route needs a ${route.form === true ? 'form as its' : 'JSON'} body.`);
    return undefined;
  }
  const [accepted, read] = route.form === true ? [FORM_ONLY, parseForm] : [JSON_ONLY, parse];
  if (request.is(accepted) === false) throw unsupportedMediaType(accepted);
  await read(request, response);
  const body: unknown = request.body;
  // The parser passes over a request that has ended meanwhile, and a schema takes nothing for something optional.
  if (body === undefined) throw badRequest('REQUEST_ABORTED', 'The body ended early.');
  refusePollution(body);
  return body;
}

function checkUpload(accepted: readonly string[], request: Request): void {
  if (!hasBody(request)) throw badRequest('BODY_REQUIRED', `This route needs a body: ${accepted.join(' or ')}.`);
  if (request.is([...accepted]) === false) throw unsupportedMediaType(accepted);
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

const POLLUTING: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Schemas refuse unknown keys, but a record or a free-form part would let these through to code that merges
 * objects.
 */
function refusePollution(body: unknown): void {
  for (const part of partsOf(body)) {
    const key = Array.isArray(part) ? undefined : Object.keys(part).find((name) => POLLUTING.has(name));
    if (key !== undefined) throw badRequest('FORBIDDEN_KEY', `No key of a body may be named "${key}".`);
  }
}

/** How many keys and items there are in a body; counting stops at `enough`. */
function countValues(body: unknown, enough: number): number {
  let count = 0;
  for (const part of partsOf(body)) {
    count += Object.keys(part).length;
    if (count >= enough) break;
  }
  return count;
}

/** All objects and arrays in a body. Without recursion: a body may be nested deeper than the stack is. */
function* partsOf(body: unknown): Generator<object> {
  const left: unknown[] = [body];
  while (left.length > 0) {
    const part = left.pop();
    if (part === null || typeof part !== 'object') continue;
    yield part;
    for (const value of Object.values(part) as unknown[]) left.push(value);
  }
}
