import { randomUUID } from 'node:crypto';
import { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import { pinoHttp } from 'pino-http';
import { type Log } from '../observability/log.js';
import { type Origin, withRequest } from '../observability/request-context.js';
import { toProblem } from './problem-mapping.js';
import { isOurFault, notFound, sendProblem } from './problem.js';

const SANE_ID = /^[\w.:-]{1,128}$/;

/** Gives every request an id, that of the caller where it is a sane one, and runs the rest as part of it. */
export function requestId(): RequestHandler {
  return (request, response, next) => {
    const given = request.get('X-Request-Id');
    const id = given !== undefined && SANE_ID.test(given) ? given : randomUUID();
    response.set('X-Request-Id', id);
    withRequest({ requestId: id, origin: originOf(request) }, next);
  };
}

const LONGEST_USER_AGENT = 300;

function originOf(request: Request): Origin {
  const userAgent = request.get('user-agent')?.slice(0, LONGEST_USER_AGENT);
  return { ip: request.ip ?? 'unknown', ...(userAgent !== undefined && { userAgent }) };
}

/** The id that the request of this response was given. */
export function requestIdOf(response: Response): string {
  const id = response.getHeader('X-Request-Id');
  return typeof id === 'string' ? id : randomUUID();
}

/**
 * One log line per request. Of the request it names the method and the path only: a query may hold a token or what
 * someone searched for.
 * @param quiet whether a path is left out, such as that of health checks
 */
export function accessLog(log: Log, quiet: (path: string) => boolean = () => false): RequestHandler {
  return pinoHttp<Request, Response>({
    logger: log,
    autoLogging: { ignore: (request) => quiet(request.path) },
    wrapSerializers: false,
    serializers: {
      req: ({ method, originalUrl, ip }: Request) => ({ method, path: originalUrl.split('?')[0], ip }),
      res: ({ statusCode }: Response) => ({ status: statusCode }),
    },
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'error' : 'info'),
  });
}

/** 404 for whatever no route has answered. */
export function unknownRoute(): RequestHandler {
  return () => {
    throw notFound('ROUTE_NOT_FOUND', 'There is no such route.');
  };
}

/** Turns every error into a problem document; what is our fault goes into the log with all that is known of it. */
export function errorHandler(log: Log): ErrorRequestHandler {
  // Express tells error handlers by their four parameters.
  return (error: unknown, _request, response, _next) => {
    const problem = toProblem(error);
    if (isOurFault(problem)) log.error({ err: error, code: problem.code }, 'http: a request failed');
    if (response.headersSent) {
      // Too late for a problem document: only a cut connection says that this is not all.
      response.destroy();
      return;
    }
    sendProblem(response, problem, requestIdOf(response));
  };
}
