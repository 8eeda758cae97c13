import compression from 'compression';
import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { docsRouter } from './core/http/docs.js';
import { accessLog, errorHandler, requestId, unknownRoute } from './core/http/middleware.js';
import { tracedRequests } from './core/http/traced-requests.js';
import { type HttpServices, mountRoutes } from './core/http/mount.js';
import { openApiDocument } from './core/http/openapi.js';
import { type Route } from './core/http/route.js';
import { operationsRouter, type OperationsOptions } from './core/observability/operations.js';
import { asyncApiDocument } from './core/realtime/asyncapi.js';
import { type NamespaceDefinition } from './core/realtime/namespace.js';

export interface AppOptions {
  routes: Route[];
  namespaces: readonly NamespaceDefinition[];
  services: HttpServices;
  operations: OperationsOptions;
  origins: string[];
  trustProxy: number;
  publicUrl: string;
  version: string;
  /** Whether requests begin traces. */
  traced?: boolean;
}

const API = '/api/v1';

/** What scripts of other origins may read beside the few headers that they always may. */
const EXPOSED_HEADERS = [
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Sunset',
  'X-Request-Id',
];

/** The Express app: middleware in order, the modules' routes, the documents, errors. */
export function createApp({
  routes,
  namespaces,
  services,
  operations,
  origins,
  trustProxy,
  publicUrl,
  version,
  traced = false,
}: AppOptions): Express {
  const { log } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustProxy);
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');

  const quiet = (path: string): boolean => path.startsWith('/health') || path === '/metrics';
  app.use(requestId());
  if (traced) app.use(tracedRequests(quiet));
  app.use(accessLog(log, quiet));
  app.use(operationsRouter(operations));
  app.use(helmet());
  app.use(
    cors({
      origin: origins,
      credentials: true,
      exposedHeaders: EXPOSED_HEADERS,
    }),
  );
  app.use(compression());
  const about = { title: 'Atrium', version };
  app.use(
    docsRouter({
      openApi: () => openApiDocument({ ...about, routes, serverUrl: new URL(API, publicUrl).href }),
      asyncApi: () => asyncApiDocument({ ...about, namespaces, publicUrl }),
    }),
  );
  app.use(API, mountRoutes(routes, services));
  app.use(unknownRoute());
  app.use(errorHandler(log));
  return app;
}
