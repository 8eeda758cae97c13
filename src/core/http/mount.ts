import express, { type Router } from 'express';
import { mountNoted } from '../observability/operations.js';
import { SerialByKey } from '../serial.js';
import { type HttpServices, serve } from './pipeline.js';
import { methodNotAllowed } from './problem.js';
import { type Route } from './route.js';
import { keysOf } from './schema.js';

export { type HttpServices } from './pipeline.js';

/**
 * A router of all the routes, to be mounted at the version prefix. A path without parameters goes before one with,
 * whatever the order of the modules: `/posts/drafts` before `/posts/:postId`.
 * @throws Error where two routes share method and path, or a declaration contradicts itself
 */
export function mountRoutes(routes: readonly Route[], services: HttpServices): Router {
  const router = express.Router({ caseSensitive: true });
  router.use(mountNoted());
  const methods = new Map<string, string[]>();
  const queue = new SerialByKey();
  for (const route of [...routes].sort(bySpecificity)) {
    checkDeclaration(route);
    const taken = methods.get(route.path) ?? [];
    if (taken.includes(route.method)) throw new Error(`${nameOf(route)} is declared twice`);
    methods.set(route.path, [...taken, route.method]);
    router[route.method](route.path, serve(route, services, queue));
  }
  for (const [path, allowed] of methods) {
    router.all(path, (request, _response, next) => {
      // Express answers OPTIONS by itself.
      next(request.method === 'OPTIONS' ? undefined : methodNotAllowed(allowed));
    });
  }
  return router;
}

function bySpecificity(a: Route, b: Route): number {
  const [left, right] = [rank(a.path), rank(b.path)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Sorts fixed segments before parameters, position by position. */
function rank(path: string): string {
  return path
    .split('/')
    .map((segment) => (/[:*{]/.test(segment) ? '1' : '0'))
    .join('');
}

function checkDeclaration(route: Route): void {
  const inPath = parametersOf(route.path);
  const inSchema = route.params ? keysOf(route.params) : [];
  if (inPath.toSorted().join() !== inSchema.toSorted().join()) {
    throw new Error(`${nameOf(route)}: the schema of its parameters does not fit its path`);
  }
  if (route.upload && route.body) throw new Error(`${nameOf(route)}: an upload has no body schema`);
  const { status, body, contentType } = route.answer;
  if (route.idempotent === true && (route.upload || contentType !== undefined || status === 302)) {
    throw new Error(`${nameOf(route)}: only JSON can be kept for an Idempotency-Key`);
  }
  if ((status === 204 || status === 302) && body) throw new Error(`${nameOf(route)}: a ${status} has no body`);
}

/** The names of the parameters in a path. */
export function parametersOf(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
}

function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}
