import Joi from 'joi';
import { MongoError, MongoOperationTimeoutError, MongoServerError, MongoTopologyClosedError } from 'mongodb';
import { isDatabaseUnavailable } from '../database/errors.js';
import { badRequest, type FieldError, Problem, unavailable, unsupportedMediaType } from './problem.js';

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
  return new Problem({
    status: 500,
    code: 'INTERNAL_ERROR',
    detail: 'Something went wrong on our side.',
    cause: error,
  });
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
  'parameters.too.many': () => new Problem({ status: 413, code: 'BODY_TOO_LARGE', detail: 'The form is too large.' }),
  'querystring.parse.rangeError': () => badRequest('MALFORMED_FORM', 'The fields of a form have plain names.'),
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
