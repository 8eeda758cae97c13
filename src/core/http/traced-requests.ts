import { SpanKind } from '@opentelemetry/api';
import { type RequestHandler } from 'express';
import { routeOf } from '../observability/operations.js';
import { beginTrace } from '../observability/tracing.js';

/**
 * Begins a trace with every request, and ends its span with the answer.
 * @param quiet whether a path is left out, such as that of health checks
 */
export function tracedRequests(quiet: (path: string) => boolean): RequestHandler {
  return (request, response, next) => {
    const { method } = request;
    const work = { name: method, kind: SpanKind.SERVER, attributes: { 'http.request.method': method } };
    const traced = quiet(request.path) ? undefined : beginTrace(work, request.get('traceparent'));
    if (!traced) {
      next();
      return;
    }
    response.once('close', () => {
      const [route, status] = [routeOf(request, response), response.statusCode];
      // Never the path itself: it holds ids, and whatever else somebody asked for.
      if (route !== undefined) traced.rename(`${method} ${route}`);
      traced.set({ 'http.response.status_code': status, ...(route !== undefined && { 'http.route': route }) });
      if (status >= 500 || !response.writableFinished) traced.fail();
      traced.end();
    });
    traced.run(next);
  };
}
