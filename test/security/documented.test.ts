import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createApp } from '../../src/app.js';
import { type Route } from '../../src/core/http/route.js';
import { createLog } from '../../src/core/observability/log.js';
import { createMetrics } from '../../src/core/observability/metrics.js';
import { Api } from '../support/api.js';
import { operationsOf } from './api-document.js';

/** As Mocha loads the tests: imported, the modules would be there twice, compiled to other code, and so would be what covers them. */
const load = createRequire(import.meta.url);

/** What serves operators and readers of the documents; no part of the API. */
const ASIDE = /^GET \/(health\/|metrics$|docs(\/|$)|(openapi|asyncapi)\.json$)/;

interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
}

/** Every route that Express really has, as `GET /posts/{postId}`. */
function mounted(stack: Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (!route) return mounted(handle.stack ?? []);
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    // The entry for all methods is the one that answers 405.
    const methods = Object.keys(route.methods).filter((method) => method !== '_all');
    return methods.map((method) => `${method.toUpperCase()} ${path}`);
  });
}

/** Stands for whatever routes are made from: declaring and mounting them uses nothing of it. */
const nothing: unknown = new Proxy(() => nothing, { get: () => nothing });

/** The routes of every module: each `*.routes.ts` exports functions that declare them. */
async function declaredRoutes(): Promise<Route[]> {
  const modules = new URL('../../src/modules/', import.meta.url);
  const files = (await readdir(modules, { recursive: true })).filter((name) => name.endsWith('.routes.ts'));
  const exported = files.map((name) => load(fileURLToPath(new URL(name, modules))) as Record<string, unknown>);
  const declared = exported.flatMap((module) =>
    Object.values(module).flatMap((declare) => (declare as (deps: unknown) => Route[])(nothing)),
  );
  // Some of these functions call others of them.
  return [...new Map(declared.map((one) => [`${one.method} ${one.path}`, one])).values()];
}

describe('The OpenAPI document', () => {
  it('lists every route that the app has, and no other', async () => {
    const metrics = createMetrics();
    const app = createApp({
      routes: await declaredRoutes(),
      namespaces: [],
      services: { log: createLog('silent') } as never,
      operations: { checks: [], metrics },
      origins: [],
      trustProxy: 0,
      publicUrl: 'https://campus.test',
      version: '1',
    });
    const routes = mounted((app as unknown as { router: { stack: Layer[] } }).router.stack);

    const server = createServer((request, response) => void app(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const operations = await operationsOf(new Api(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    server.closeAllConnections();
    server.close();

    expect(operations.length).to.be.at.least(30);
    expect(routes).to.include.members(['GET /openapi.json', 'GET /asyncapi.json']);
    const ofTheApi = routes.filter((route) => !ASIDE.test(route));
    expect(ofTheApi).to.have.members(operations.map(({ method, path }) => `${method} ${path}`));
  });
});
