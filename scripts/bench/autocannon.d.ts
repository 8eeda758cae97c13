// The parts of autocannon that are used here; the package has no types of its own.
declare module 'autocannon' {
  interface Request {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
  }
  interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** Made anew for each request. */
    requests: { setupRequest: (request: Request) => Request }[];
  }
  interface Result {
    errors: number;
    timeouts: number;
    non2xx: number;
    requests: { average: number };
  }
  interface Running {
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, tookMs: number) => void): void;
  }
  export default function autocannon(options: Options, done: (error: Error | null, result: Result) => void): Running;
}
