import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

const DUPLICATE_KEY = 11000;
const MAX_TIME_EXPIRED = 50;

/** Whether a unique index refused the write. */
export function isDuplicateKey(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** Whether an operation was ended by its own `maxTimeMS`. */
export function isOutOfTime(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === MAX_TIME_EXPIRED;
}

// NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, PrimarySteppedDown, ShutdownInProgress,
// InterruptedAtShutdown, InterruptedDueToReplStateChange, FailedToSatisfyReadPreference: outside a transaction and on
// reads they come without any label.
const NO_PRIMARY_CODES = new Set<number | string | undefined>([10107, 13435, 13436, 189, 91, 11600, 11602, 133]);
const LABELS = [
  'TransientTransactionError',
  'UnknownTransactionCommitResult',
  'RetryableWriteError',
  'ResumableChangeStreamError',
];
// The first is not exported by the driver; the second is Mongoose's own, which is no MongoError.
const NAMES = new Set(['MongoWaitQueueTimeoutError', 'MongooseServerSelectionError']);

/** Whether the connection was lost, or none could be had since others were. */
export function isConnectionLost(error: unknown): error is MongoError {
  // A bulk write wraps whatever has ended it, a broken connection as well, in an error of the server.
  const cause = error instanceof MongoBulkWriteError ? error.errorResponse : error;
  return cause instanceof MongoNetworkError;
}

/** Whether the database was out of reach or in transition: the same work may well succeed a moment later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (NAMES.has(error.name)) return true;
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoBulkWriteError && isDatabaseUnavailable(error.errorResponse)) return true;
  return (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoOperationTimeoutError ||
    error instanceof MongoTopologyClosedError ||
    NO_PRIMARY_CODES.has(error.code) ||
    LABELS.some((label) => error.hasErrorLabel(label)) ||
    isConnectionLost(error)
  );
}
