import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createApp } from '../../src/app.js';
import { createLog } from '../../src/core/observability/log.js';
import { createMetrics } from '../../src/core/observability/metrics.js';
import { authRoutes } from '../../src/modules/auth/auth.routes.js';
import { notificationRoutes } from '../../src/modules/notifications/notification.routes.js';
import { postRoutes } from '../../src/modules/posts/post.routes.js';
import { userRoutes } from '../../src/modules/users/user.routes.js';
import { Api } from '../support/api.js';
import { operationsOf } from './api-document.js';

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

describe('The OpenAPI document', () => {
  it('lists every route that the app has, and no other', async () => {
    // Declaring and mounting routes calls nothing of what they are given.
    const nothing = {} as never;
    const metrics = createMetrics();
    const app = createApp({
      routes: [...userRoutes(nothing), ...authRoutes(nothing), ...postRoutes(nothing), ...notificationRoutes(nothing)],
      namespaces: [],
      services: { ...(nothing as object), log: createLog('silent') } as never,
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
