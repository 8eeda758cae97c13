import { type Server } from 'node:http';
import { type Config } from './config.js';

/** Listens where the configuration says; answers the URL. */
export async function listen(server: Server, { port, host }: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return `http://localhost:${address.port}`;
}

/** Takes no new connections, sends sockets elsewhere and lets requests finish. */
export async function closeServer(server: Server, closeSockets: () => Promise<void>): Promise<void> {
  // A client that keeps its connection would go on sending over it: it is told to come back elsewhere.
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await closeSockets();
  await closed;
}
