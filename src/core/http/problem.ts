import { randomInt } from 'node:crypto';
import { type Response } from 'express';

/** For so long whoever was turned away stays away at most. */
const LONGEST_WAIT_SECONDS = 3;

/** One thing that is wrong with the input. */
export interface FieldError {
  /** Where: `body.title`, `query.limit`. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  status: number;
  /** Stable, in upper snake case. */
  code: string;
  /** A sentence for people. */
  detail: string;
  errors?: readonly FieldError[];
  headers?: Readonly<Record<string, string>>;
  /** What led to it; for the log, never for the client. */
  cause?: unknown;
}

/**
 * The one error that clients get to see (RFC 9457). `code` is what programs decide by; `detail` must never carry
 * what another error said.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;

  constructor({ status, code, detail, errors, headers, cause }: ProblemOptions) {
    super(`${code}: ${detail}`, cause === undefined ? {} : { cause });
    this.status = status;
    this.code = code;
    this.title = TITLES[status] ?? 'Error';
    this.detail = detail;
    if (errors) this.errors = errors;
    if (headers) this.headers = headers;
  }

  /** The document that clients get, over HTTP and sockets alike. */
  toJSON(requestId: string): Record<string, unknown> {
    return {
      type: `/problems/${this.code.toLowerCase().replaceAll('_', '-')}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.detail,
      requestId,
      ...(this.errors && { errors: this.errors }),
    };
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** 400: the request makes no sense as it is. */
export function badRequest(code: string, detail: string, errors?: readonly FieldError[]): Problem {
  return new Problem({ status: 400, code, detail, ...(errors && { errors }) });
}

/** 401: who is asking is unknown. */
export function unauthorized(code = 'UNAUTHORIZED', detail = 'Sign in first.'): Problem {
  return new Problem({ status: 401, code, detail, headers: { 'WWW-Authenticate': 'Bearer' } });
}

/** 403: known, but not allowed. */
export function forbidden(code = 'FORBIDDEN', detail = 'You may not do this.'): Problem {
  return new Problem({ status: 403, code, detail });
}

/** 404: there is no such thing, or the one who asks must not know of it. */
export function notFound(code = 'NOT_FOUND', detail = 'There is no such thing.'): Problem {
  return new Problem({ status: 404, code, detail });
}

/** 405: there is such a path, but not for this method. */
export function methodNotAllowed(allowed: readonly string[]): Problem {
  const methods = allowed.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).sort();
  return new Problem({
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    detail: `This route takes ${methods.join(', ')}.`,
    headers: { Allow: methods.join(', ') },
  });
}

/** 409: at odds with what is stored. */
export function conflict(code: string, detail: string): Problem {
  return new Problem({ status: 409, code, detail });
}

/** 415: another content type is wanted. */
export function unsupportedMediaType(accepted: readonly string[]): Problem {
  return new Problem({
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: `Send the body as ${accepted.join(' or ')}.`,
    headers: { Accept: accepted.join(', ') },
  });
}

/** 429: too often; to be tried again after so many seconds. */
export function tooManyRequests(retryAfterSeconds: number, headers: Readonly<Record<string, string>> = {}): Problem {
  return new Problem({
    status: 429,
    code: 'RATE_LIMITED',
    detail: `Too many requests. Try again in ${retryAfterSeconds} s.`,
    headers: { ...headers, 'Retry-After': String(retryAfterSeconds) },
  });
}

/** 503: not now; to be tried again after so many seconds. */
export function unavailable(code: string, detail: string, retryAfterSeconds = 5, cause?: unknown): Problem {
  return new Problem({ status: 503, code, detail, headers: { 'Retry-After': String(retryAfterSeconds) }, cause });
}

/** 503: too much else to do; those turned away together come back at different moments. */
export function overloaded(): Problem {
  const detail = 'There is too much to do just now. Try again in a moment.';
  return unavailable('OVERLOADED', detail, randomInt(1, LONGEST_WAIT_SECONDS + 1));
}

/** Whether somebody should look into it. What was turned away for want of time is counted, and not told one by one. */
export function isOurFault({ status, code }: Problem): boolean {
  return status >= 500 && code !== 'OVERLOADED';
}

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(response: Response, problem: Problem, requestId: string): void {
  response
    .status(problem.status)
    .set({ ...problem.headers, 'Cache-Control': 'no-store' })
    .type('application/problem+json')
    .send(JSON.stringify(problem.toJSON(requestId)));
}
