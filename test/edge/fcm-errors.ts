/** Why a field is wrong, as `google.rpc.BadRequest` says it. */
export interface FieldViolation {
  field: string;
  description: string;
}

export interface FcmErrorReply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** An error as FCM words it. Without an `errorCode` it is one of Google's API front end, not of FCM itself. */
export function fcmError(
  code: number,
  status: string,
  message: string,
  errorCode?: string,
  fieldViolations?: FieldViolation[],
): FcmErrorReply {
  const details: object[] = [];
  if (errorCode !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode });
  }
  if (fieldViolations !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations });
  }
  const error = { code, message, status, ...(details.length > 0 ? { details } : {}) };
  return {
    status: code,
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ error }),
  };
}

const KNOWN: Record<number, [status: string, message: string, errorCode?: string]> = {
  400: ['INVALID_ARGUMENT', 'Request contains an invalid argument.', 'INVALID_ARGUMENT'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  403: ['PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH'],
  // Bare on purpose: a project that does not exist. A dead token is the business of `unregister`.
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  429: ['RESOURCE_EXHAUSTED', 'Quota exceeded.', 'QUOTA_EXCEEDED'],
  500: ['INTERNAL', 'Internal error encountered.', 'INTERNAL'],
  503: ['UNAVAILABLE', 'The service is currently unavailable.', 'UNAVAILABLE'],
};

/** The error FCM gives with a status. */
export function fcmErrorFor(code: number): FcmErrorReply {
  const [status, message, errorCode] = KNOWN[code] ?? ['UNKNOWN', `Status ${code}.`];
  return fcmError(code, status, message, errorCode);
}
