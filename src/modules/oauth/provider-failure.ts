import { ResponseBodyError } from 'openid-client';
import { forbidden, Problem } from '../../core/http/problem.js';
import { type Log } from '../../core/observability/log.js';
import { type ProviderName } from './providers/index.js';

/** The provider does not stand by what the browser brought, or we do not believe that it was meant for this browser. */
export function refused(): Problem {
  return forbidden('OAUTH_REFUSED', 'The provider did not confirm who this is.');
}

/**
 * Does something that needs a provider. Whatever goes wrong, the person is told which of two things it was, and the
 * log what kind of error: its details may hold codes, tokens and what was said of someone.
 * @throws Problem `OAUTH_REFUSED` or `OAUTH_PROVIDER_FAILED`
 */
export async function asking<T>(provider: ProviderName, log: Log, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = reasonOf(error);
    if (REFUSALS.has(reason)) throw refused();
    log.warn({ provider, reason }, 'oauth: a provider failed');
    throw new Problem({
      status: 503,
      code: 'OAUTH_PROVIDER_FAILED',
      detail: 'The provider did not answer as it should.',
    });
  }
}

/** What a used, expired or foreign code gives, and a statement that was made for someone or something else. */
const REFUSALS: ReadonlySet<string> = new Set(['invalid_grant', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED']);

/** The fixed word that stands for an error: of the provider's own where it is one of OAuth, else of the library's. */
function reasonOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  const word = error instanceof ResponseBodyError ? error.error : (code ?? cause?.code);
  if (typeof word === 'string' && /^\w{1,60}$/.test(word)) return word;
  return (error as Error).name;
}
