import { type Log } from '../../core/observability/log.js';

export interface RenewalOptions {
  renew: () => Promise<void>;
  everyMs: number;
  log: Log;
}

/** Keeps a claim from running out while its work is under way. */
export async function whileRenewing<T>(work: () => Promise<T>, { renew, everyMs, log }: RenewalOptions): Promise<T> {
  const timer = setInterval(() => {
    renew().catch((error: unknown) => log.warn({ err: error }, 'personal data: a claim could not be renewed'));
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
