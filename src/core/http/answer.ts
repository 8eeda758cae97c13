import { type Response } from 'express';
import { type Log } from '../observability/log.js';
import { type StoredAnswer } from './idempotency.js';
import { Problem } from './problem.js';
import { type RawAnswer, type Route } from './route.js';
import { type Schema } from './schema.js';

/** The answer of a route that answers JSON, ready to be stored and sent. */
export function jsonAnswer(route: Route, body: unknown): StoredAnswer {
  const { status } = route.answer;
  return route.answer.body ? { status, body: JSON.stringify(body) } : { status };
}

/** Sends JSON; Express adds the ETag and turns a GET that the client already has into a 304. */
export function sendJson(response: Response, { status, body }: StoredAnswer): void {
  const { headers } = response.req;
  // fetch() adds `Cache-Control: no-cache` to every conditional request, and Express would then not look at the
  // condition. Whoever sends one wants it looked at.
  if (headers['if-none-match'] !== undefined) delete headers['cache-control'];
  response.status(status);
  if (body === undefined) response.end();
  else response.type('application/json').send(body);
}

/** Sends the client on. Where to may be a secret of its own, so that nobody on the way may keep it. */
export function sendRedirect(response: Response, url: string): void {
  response.status(302).set('Cache-Control', 'no-store').location(url).end();
}

/** Sends what a route with its own content type answers. */
export function sendRaw(response: Response, status: number, contentType: string, body: RawAnswer): void {
  response.status(status);
  // Where it depends on what is sent, the route has set it.
  if (!response.hasHeader('Content-Type')) response.type(contentType);
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    response.send(body);
    return;
  }
  // Past the headers nothing but cutting the connection tells the client that this is not all.
  body.on('error', () => response.destroy());
  body.pipe(response);
}

/**
 * Holds an answer, as clients read it, against its schema.
 * @throws Problem 500 where it does not fit: the document would be lying
 */
export function checkAnswer(route: Route, answer: StoredAnswer, log: Log): void {
  const schema: Schema | undefined = route.answer.body;
  if (!schema || answer.body === undefined) return;
  const { error } = schema.validate(JSON.parse(answer.body), { convert: false, abortEarly: false });
  if (!error) return;
  log.error(
    { route: `${route.method} ${route.path}`, details: error.details },
    'http: an answer does not fit its schema',
  );
  throw new Problem({
    status: 500,
    code: 'ANSWER_MISMATCH',
    detail: 'The answer does not fit its own description.',
    cause: error,
  });
}

/** Tells clients in time that a route will go (RFC 9745, RFC 8594). */
export function announceDeprecation(route: Route, response: Response): void {
  if (!route.deprecated) return;
  const { since, sunset } = route.deprecated;
  response.set({ Deprecation: `@${Math.floor(since.getTime() / 1_000)}`, Sunset: sunset.toUTCString() });
}
