import { once } from 'node:events';
import { createServer, type Server as HttpsServer } from 'node:https';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, type Server } from 'node:net';
import { type Duplex } from 'node:stream';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { type Authority } from './certificates.js';

export const LOOPBACK = '127.0.0.1';

/**
 * Listens on the loopback address only; answers the port. Without one it is such that a server which stops for a while
 * finds it free again.
 */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port || (await freePort()), LOOPBACK);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Keeps a socket in the set as long as it is open. */
export function track<S extends Duplex>(sockets: Set<S>, socket: S): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

export interface Request {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** What to answer a request; `undefined` cuts the connection instead. */
export type Handler = (request: Request) => Promise<Reply | undefined>;

/** An HTTPS server for the given host names. It can be started again after it was stopped. */
export class LocalHttps {
  readonly #authority: Authority;
  readonly #hosts: string[];
  readonly #handler: Handler;
  readonly #sockets = new Set<Duplex>();
  #server: HttpsServer | undefined;
  #port = 0;

  constructor(authority: Authority, hosts: string[], handler: Handler) {
    this.#authority = authority;
    this.#hosts = hosts;
    this.#handler = handler;
  }

  get port(): number {
    return this.#port;
  }

  async start(port: number): Promise<void> {
    this.#server ??= createServer(await this.#authority.issue(this.#hosts), (request, response) => {
      this.#serve(request, response).catch((error: unknown) => fail(response, error));
    }).on('connection', (socket) => track(this.#sockets, socket));
    this.#port = await listen(this.#server, port);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    // Those that have not finished the TLS handshake are no connections yet for HTTP.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '' } = request;
    const path = new URL(url, 'https://localhost').pathname;
    const reply = await this.#handler({ method, path, headers: request.headers, body: Buffer.concat(chunks) });
    if (reply === undefined) {
      request.socket.destroy();
      return;
    }
    const { status, headers, body = '' } = reply;
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
  }
}

/** A failing hook or handler is told to the client, where a test sees it; a client that went away is not. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) response.destroy();
  else response.writeHead(500).end(asError(error).stack);
}

/** The `Retry-After` header, when there is something to say in it. */
export function retryAfterHeader(retryAfter: number | string | undefined): Record<string, string> {
  return retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
