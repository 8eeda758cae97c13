import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Registered ports below 32768, where Linux begins to hand out its own (`net.ipv4.ip_local_port_range`). */
const LASTING_PORTS = { from: 20_000, below: 32_768 };
const PORT_ATTEMPTS = 20;

/** How often a port is chosen anew where another process takes it before mongod does. */
const START_ATTEMPTS = 3;

/** Thrown where mongod cannot listen on its port; another one may do. */
export class PortTaken extends Error {
  override name = 'PortTaken';
}

/**
 * Starts something on ports of its own choice, and again, on others, where one was free when it was chosen and taken
 * when mongod came to listen.
 * @param start told which attempt it is, from 1
 */
export async function onFreePorts<T>(start: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(attempt);
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === START_ATTEMPTS) throw error;
    }
  }
}

/**
 * A port of the loopback address that nothing listens on now, and that no outgoing connection will be given while it is
 * not in use: one below those that systems hand out by themselves, as long as one is found.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = await tryPort(randomInt(LASTING_PORTS.from, LASTING_PORTS.below));
    if (port !== undefined) return port;
  }
  return (await tryPort(0)) ?? Promise.reject(new Error('no free port on 127.0.0.1'));
}

/** Whether this port of the loopback address can be listened on now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryPort(port)) !== undefined;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
