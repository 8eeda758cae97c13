import { type Response } from 'express';
import Joi from 'joi';
import { MongoError, MongoOperationTimeoutError, MongoServerError, MongoTopologyClosedError } from 'mongodb';
import { isDatabaseUnavailable } from '../database/errors.js';

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

/** 409: at odds with what is stored. */
export function conflict(code: string, detail: string): Problem {
  return new Problem({ status: 409, code, detail });
}

/** 429: too often; to be tried again after so many seconds. */
export function tooManyRequests(
  retryAfterSeconds: number,
  headers: Readonly<Record<string, string>> = {},
): Problem {
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

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(response: Response, problem: Problem, requestId: string): void {
  response
    .status(problem.status)
    .set({ ...problem.headers, 'Cache-Control': 'no-store' })
    .type('application/problem+json')
    .send(JSON.stringify(problem.toJSON(requestId)));
}

/**
 * Turns whatever was thrown into a problem. What is not recognised becomes a bare 500: the message of an unknown
 * error is for the log only.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (Joi.isError(error)) return validationFailed(fieldErrors(error));
  if (error instanceof URIError) return malformedUri();
  if (isBodyError(error)) return bodyProblem(error);
  if (isDatabaseUnavailable(error) || isWithoutPrimary(error)) {
    return unavailable('DATABASE_UNAVAILABLE', 'The database is out of reach at the moment. Try again soon.', 5, error);
  }
  return new Problem({ status: 500, code: 'INTERNAL_ERROR', detail: 'Something went wrong on our side.', cause: error });
}

/** 400 with what is wrong where. */
export function validationFailed(errors: readonly FieldError[]): Problem {
  return badRequest('VALIDATION_FAILED', 'The request does not fit what this route takes.', errors);
}

// Enough to mend a form by; a hostile body could have thousands.
const MAX_ERRORS = 20;

/** What Joi found, each with its path below `source`. */
export function fieldErrors(error: Joi.ValidationError, source?: string): FieldError[] {
  return error.details.slice(0, MAX_ERRORS).map(({ path, message }) => ({
    path: (source === undefined ? path : [source, ...path]).join('.'),
    message,
  }));
}

/** 415 naming what is accepted. */
export function unsupportedMediaType(accepted: readonly string[]): Problem {
  return new Problem({
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: `Send the body as ${accepted.join(' or ')}.`,
    headers: { Accept: accepted.join(', ') },
  });
}

function malformedUri(): Problem {
  return badRequest('MALFORMED_URI', 'The address contains an invalid percent-encoding.');
}

/** The errors of Express' body parser carry a `type`. */
interface BodyError extends Error {
  type: string;
}

function isBodyError(error: unknown): error is BodyError {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' && error.type in BODY_PROBLEMS;
}

const BODY_PROBLEMS: Readonly<Record<string, () => Problem>> = {
  'entity.parse.failed': () => badRequest('MALFORMED_JSON', 'The body is not valid JSON.'),
  'entity.too.large': () => new Problem({ status: 413, code: 'BODY_TOO_LARGE', detail: 'The body is too large.' }),
  'encoding.unsupported': () => unsupportedMediaType(['application/json']),
  'charset.unsupported': () => unsupportedMediaType(['application/json; charset=utf-8']),
  'request.aborted': () => badRequest('REQUEST_ABORTED', 'The body ended early.'),
  'request.size.invalid': () => badRequest('REQUEST_ABORTED', 'The body is not as long as its Content-Length says.'),
};

function bodyProblem(error: BodyError): Problem {
  return BODY_PROBLEMS[error.type]?.() ?? badRequest('MALFORMED_BODY', 'The body cannot be read.');
}

// NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, PrimarySteppedDown, ShutdownInProgress,
// InterruptedAtShutdown, InterruptedDueToReplStateChange, FailedToSatisfyReadPreference.
const NO_PRIMARY_CODES: ReadonlySet<unknown> = new Set([10107, 13435, 13436, 189, 91, 11600, 11602, 133]);

/** What `isDatabaseUnavailable` does not count: reads refused by a former primary, timeouts, a closed pool. */
function isWithoutPrimary(error: unknown): boolean {
  if (error instanceof MongoServerError) return NO_PRIMARY_CODES.has(error.code);
  if (error instanceof MongoOperationTimeoutError || error instanceof MongoTopologyClosedError) return true;
  if (error instanceof MongoError) return error.name === 'MongoWaitQueueTimeoutError';
  // Mongoose wraps the driver's error in one of its own that is no MongoError.
  return error instanceof Error && error.name === 'MongooseServerSelectionError';
}
