import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request being served; every log line written meanwhile carries it. */
export interface RequestContext {
  requestId: string;
  userId?: string;
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
