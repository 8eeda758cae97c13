import { type Request, type RequestHandler, type Response } from 'express';
import { type Overload } from '../overload.js';
import { type Log } from '../observability/log.js';
import { currentRequest } from '../observability/request-context.js';
import { type SerialByKey } from '../serial.js';
import { announceDeprecation, checkAnswer, jsonAnswer, sendJson, sendRaw, sendRedirect } from './answer.js';
import { checkIdempotencyKey, type Idempotency, type StoredAnswer } from './idempotency.js';
import { readInput } from './input.js';
import { type Limiter } from './limits.js';
import { forbidden, notFound, Problem, unauthorized } from './problem.js';
import { type Access, type Actor, type RawAnswer, type Route, type RouteContext } from './route.js';
import { subjectOf } from './subject.js';

/** What every route needs. */
export interface HttpServices {
  /**
   * Who sent the request; nobody where it carries no token.
   * @throws Problem 401 where it carries a bad one
   */
  authenticate(request: Request): Promise<Actor | undefined>;
  limiter: Limiter;
  idempotency: Idempotency;
  /** Lets in as many requests at once as are answered in time. */
  overload: Overload;
  /** Holds every JSON answer against its schema, which tests want and production need not pay for. */
  checkAnswers: boolean;
  log: Log;
}

/** The way of a request through a route, in order. */
export function serve(route: Route, services: HttpServices, queue: SerialByKey): RequestHandler {
  const { limiter } = services;
  const limits = route.limits ?? [];

  // First of all, since what is turned away must cost next to nothing.
  return (request, response) =>
    services.overload.run((underWay) => {
      // How long a body takes is up to who sends it: a few who are slow on purpose would else keep all others out.
      request.once('resume', underWay.wait).once('close', underWay.goOn).once('end', underWay.goOn);
      return pass(request, response);
    });

  async function pass(request: Request, response: Response): Promise<void> {
    announceDeprecation(route, response);
    const actor = await identify(request, route, services);
    const subject = subjectOf(request, actor);
    const isMetered = route.unmetered !== true;
    const blocked = isMetered ? limiter.blocked(subject, limits) : undefined;
    if (blocked) throw blocked;

    // The count is one trip to the database, and loading another: they go together. What the limits say is heard
    // first, whichever returns first.
    const counted = isMetered ? limiter.admit(subject, limits) : Promise.resolve({});
    const prepared = prepare(route, request, response, actor);
    prepared.catch(() => undefined);
    response.set(await counted);
    const ctx = await prepared;
    await requirePermission(route, ctx);

    if (route.method === 'get') response.set('Cache-Control', 'private, no-cache').vary('Authorization');
    if (route.answer.contentType !== undefined) {
      const body = await produce(route, ctx);
      if (!response.headersSent) sendRaw(response, route.answer.status, route.answer.contentType, body as RawAnswer);
      return;
    }
    if (route.answer.status === 302) {
      sendRedirect(response, (await produce(route, ctx)) as string);
      return;
    }
    const work = () => run(route, services, subject, ctx);
    sendJson(response, await (route.serialBy ? queue.run(route.serialBy(ctx), work) : work()));
  }
}

async function identify(request: Request, route: Route, services: HttpServices): Promise<Actor | undefined> {
  try {
    const actor = await services.authenticate(request);
    const context = currentRequest();
    if (actor && context) context.userId = actor.id;
    return actor;
  } catch (error) {
    // What is open to anyone is so to who still carries a token that has expired: they get a new one there.
    if (!route.access.signedIn && error instanceof Problem && error.status === 401) return undefined;
    // Trying tokens counts as well.
    await services.limiter.admit(subjectOf(request, undefined), []);
    throw error;
  }
}

async function prepare(
  route: Route,
  request: Request,
  response: Response,
  actor: Actor | undefined,
): Promise<RouteContext> {
  requireAccess(route.access, actor);
  const key = idempotencyKey(route, request);
  if (key !== undefined) checkIdempotencyKey(key);
  const ctx = { actor, request, response, ...(await readInput(route, request, response)) };
  if (!route.load) return { ...ctx, resource: undefined };
  const resource = await route.load(ctx);
  if (resource === undefined || resource === null) throw missing(route);
  return { ...ctx, resource };
}

function idempotencyKey(route: Route, request: Request): string | undefined {
  return route.idempotent === true ? request.get('Idempotency-Key') : undefined;
}

function requireAccess(access: Access, actor: Actor | undefined): void {
  if (!access.signedIn) return;
  if (!actor) throw unauthorized();
  if (actor.scopes) {
    if (access.scope !== undefined && actor.scopes.includes(access.scope)) return;
    throw forbidden('SCOPE_MISSING', 'This API key may not use this route.');
  }
  if (access.roles && !access.roles.includes(actor.role)) throw forbidden();
}

async function requirePermission(route: Route, ctx: RouteContext): Promise<void> {
  const decision = await route.policy?.(ctx.actor, ctx.resource, ctx);
  if (decision?.kind === 'hide') throw missing(route);
  if (decision?.kind === 'deny') throw forbidden(decision.code, decision.detail);
}

/** The same whether there is no such thing or it is hidden. */
function missing(route: Route): Problem {
  return notFound(route.missing);
}

async function produce(route: Route, ctx: RouteContext): Promise<unknown> {
  const result = await route.handle(ctx);
  return route.present ? route.present(result, ctx) : result;
}

async function run(
  route: Route,
  { idempotency, checkAnswers, log }: HttpServices,
  subject: string,
  ctx: RouteContext,
): Promise<StoredAnswer> {
  const work = async (): Promise<StoredAnswer> => {
    const answer = jsonAnswer(route, await produce(route, ctx));
    if (checkAnswers) checkAnswer(route, answer, log);
    return answer;
  };
  const key = idempotencyKey(route, ctx.request);
  if (key === undefined) return work();

  const { replayed, ...answer } = await idempotency.run(
    {
      key,
      subject,
      method: route.method,
      path: ctx.request.baseUrl + ctx.request.path,
      input: { query: ctx.request.query, body: ctx.request.body as unknown },
    },
    work,
  );
  if (replayed) ctx.response.set('Idempotency-Replayed', 'true');
  return answer;
}
