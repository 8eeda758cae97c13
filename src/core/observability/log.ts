import { pino, type Logger } from 'pino';
import { currentRequest } from './request-context.js';
import { traceIdAtHand } from './tracing.js';

export type Log = Logger;

/**
 * Paths whose values never reach a log line. Secrets are listed by name wherever they may be nested one or two
 * levels deep; personal data (addresses) likewise.
 */
const MASKED = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'cookie',
  'secret',
  'email',
  'to',
  'privateKey',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

function idsOfWork(): object {
  const { requestId, userId } = currentRequest() ?? {};
  const traceId = traceIdAtHand();
  return {
    ...(requestId !== undefined && { requestId }),
    ...(userId !== undefined && { userId }),
    ...(traceId !== undefined && { traceId }),
  };
}

/**
 * The one logger: JSON lines on standard output, each with the request, user and trace it belongs to where there is one.
 * @param level a pino level, or `silent`
 */
export function createLog(level: string): Log {
  return pino({
    level,
    base: null,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: [...MASKED, 'req.headers.authorization', 'req.headers.cookie'], censor: '[masked]' },
    mixin: idsOfWork,
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
