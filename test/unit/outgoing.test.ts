import { expect } from 'chai';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TLSSocket } from 'node:tls';
import { outgoingAgent } from '../../src/core/security/outgoing.js';
import { listen, LOOPBACK } from '../edge/loopback.js';
import { loadOrCreateAuthority } from '../edge/index.js';

/** What the server says of itself is whole seconds: two. */
const SERVER_KEEPS_MS = 2_900;

describe('A connection to a provider', () => {
  let folder: string;
  let server: Server;
  let port: number;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-outgoing-'));
    const certificate = await (await loadOrCreateAuthority(folder)).issue([LOOPBACK]);
    server = createServer({ ...certificate, keepAliveTimeout: SERVER_KEEPS_MS }, (_request, response) => {
      response.end('taken');
    });
    port = await listen(server, 0);
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });

  it('is used again, and closed before the provider closes it: no call is lost to one that is just ending', async () => {
    const agent = outgoingAgent({ caFile: join(folder, 'development-ca.pem') });
    const opened: TLSSocket[] = [];
    server.on('secureConnection', (socket: TLSSocket) => opened.push(socket));
    const call = async (): Promise<void> => {
      const isFree = once(agent, 'free');
      get({ host: LOOPBACK, port, agent }, (response) => response.resume());
      await isFree;
    };
    await call();
    await call();
    expect(opened).to.have.length(1);
    const [socket] = opened as [TLSSocket];
    // Who closes it hears of no end of the other side.
    const first = await Promise.race([
      once(socket, 'end').then(() => 'the client'),
      once(socket, 'close').then(() => 'the provider'),
    ]);
    expect(first).to.equal('the client');
    agent.destroy();
  });
});
