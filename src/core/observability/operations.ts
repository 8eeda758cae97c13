import { performance } from 'node:perf_hooks';
import { type RequestHandler, Router } from 'express';
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

/** Times requests by route, not by path: ids in labels would make a series for every post. */
function measured({ httpDuration }: Metrics): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    response.on('finish', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      httpDuration.observe(
        {
          method: request.method,
          route: typeof route === 'string' ? `${request.baseUrl}${route}` : 'unknown',
          status: String(response.statusCode),
        },
        (performance.now() - start) / 1_000,
      );
    });
    next();
  };
}
