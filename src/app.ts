import compression from 'compression';
import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { docsRouter } from './core/http/docs.js';
import { accessLog, errorHandler, requestId, unknownRoute } from './core/http/middleware.js';
import { type HttpServices, mountRoutes } from './core/http/mount.js';
import { openApiDocument } from './core/http/openapi.js';
import { type Route } from './core/http/route.js';
import { operationsRouter, type OperationsOptions } from './core/observability/operations.js';

export interface AppOptions {
  routes: Route[];
  services: HttpServices;
  operations: OperationsOptions;
  origins: string[];
  trustProxy: number;
  publicUrl: string;
  version: string;
}

const API = '/api/v1';

/** The Express app: middleware in order, the modules' routes, the documents, errors. */
export function createApp({
  routes,
  services,
  operations,
  origins,
  trustProxy,
  publicUrl,
  version,
}: AppOptions): Express {
  const { log } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustProxy);
  app.set('query parser', 'simple');

  app.use(requestId());
  app.use(accessLog(log, (path) => path.startsWith('/health') || path === '/metrics'));
  app.use(operationsRouter(operations));
  app.use(helmet());
  app.use(
    cors({
      origin: origins,
      credentials: true,
      exposedHeaders: ['ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After'],
    }),
  );
  app.use(compression());
  app.use(docsRouter(openApiDocument({ routes, title: 'Atrium', version, serverUrl: new URL(API, publicUrl).href })));
  app.use(API, mountRoutes(routes, services));
  app.use(unknownRoute());
  app.use(errorHandler(log));
  return app;
}
