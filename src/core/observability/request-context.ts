import { AsyncLocalStorage } from 'node:async_hooks';

/** Where a request came from: personal data, which goes only where it can be erased again. */
export interface Origin {
  ip: string;
  userAgent?: string;
}

/** What is known of the request being served; every log line written meanwhile carries its ids. */
export interface RequestContext {
  requestId: string;
  userId?: string;
  origin?: Origin;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` as part of the given request. */
export function withRequest<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The request being served, if any: background work has none. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}
