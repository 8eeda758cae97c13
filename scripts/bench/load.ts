import autocannon from 'autocannon';
import { type Person } from '../../test/support/api.js';
import { type Latencies } from './reactions.js';

/** What is asked of a server, again and again. */
export interface Asked {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** So many requests are under way at a time. */
const CONNECTIONS = 8;

/** A request of someone who is signed in. */
export function asked(person: Person, method: string, path: string, body?: object): Asked {
  const headers = { authorization: `Bearer ${person.token}`, ...(body && { 'content-type': 'application/json' }) };
  return { method, path: `/api/v1${path}`, headers, ...(body && { body: JSON.stringify(body) }) };
}

export interface Loaded extends Latencies {
  perSecond: number;
}

/**
 * Asks for so many seconds, each connection as soon as it has its answer.
 * @param next the next request
 * @throws Error where any answer is none of success
 */
export function load(url: string, seconds: number, next: () => Asked): Promise<Loaded> {
  const took: number[] = [];
  return new Promise((resolve, reject) => {
    const requests = [{ setupRequest: (request: Asked) => ({ ...request, headers: {}, ...next() }) }];
    const running = autocannon({ url, connections: CONNECTIONS, duration: seconds, requests }, (error, result) => {
      if (error) reject(error);
      else if (result.non2xx + result.errors + result.timeouts > 0)
        reject(new Error(`${result.non2xx} refused, ${result.errors} errors, ${result.timeouts} without an answer`));
      else resolve({ took, overdue: 0, perSecond: took.length / seconds });
    });
    running.on('response', (_client, _status, _bytes, tookMs) => took.push(tookMs));
  });
}
