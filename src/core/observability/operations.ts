import { performance } from 'node:perf_hooks';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { type HealthCheck, healthOf } from './health.js';
import { type Metrics } from './metrics.js';

export interface OperationsOptions {
  checks: readonly HealthCheck[];
  metrics: Metrics;
}

/** What operators and load balancers ask: `/health/live`, `/health/ready`, `/metrics`; and the clock of all requests. */
export function operationsRouter({ checks, metrics }: OperationsOptions): Router {
  const router = Router();
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/health/ready', async (_request, response) => {
    const report = await healthOf(checks);
    response.status(report.status === 'ok' ? 200 : 503).json(report);
  });
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  router.use(measured(metrics));
  return router;
}

const MOUNTED_AT = 'mountedAt';

/** Notes where the routes of a router stand: of a request that fails in it, Express forgets that on the way out. */
export function mountNoted(): RequestHandler {
  return (request, response, next) => {
    response.locals[MOUNTED_AT] = request.baseUrl;
    next();
  };
}

/** The route that a request has come to, with the names of its parameters; `undefined` where there is none. */
export function routeOf({ route }: Request, { locals }: Response): string | undefined {
  const path = (route as { path?: unknown } | undefined)?.path;
  if (typeof path !== 'string') return undefined;
  const prefix: unknown = locals[MOUNTED_AT];
  return typeof prefix === 'string' ? `${prefix}${path}` : path;
}

/** Times requests by route, not by path: ids in labels would make a series for every post. */
function measured({ httpDuration }: Metrics): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    response.on('finish', () => {
      httpDuration.observe(
        {
          method: request.method,
          route: routeOf(request, response) ?? 'unknown',
          status: String(response.statusCode),
        },
        (performance.now() - start) / 1_000,
      );
    });
    next();
  };
}
