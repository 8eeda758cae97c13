import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands in front of a node and counts what goes through: requests, frames and their headers, without TCP's own. */
export class CountingProxy {
  /** Bytes from the node to its clients. */
  out = 0;
  /** Bytes from the clients to the node. */
  in = 0;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (near) => this.accept(near));
  }

  /** @param url the node's */
  static async start(url: string): Promise<CountingProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CountingProxy(server, Number(new URL(url).port));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await closed;
  }

  private accept(near: Socket): void {
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true });
    const end = (): void => {
      for (const socket of [near, far]) socket.destroy();
    };
    for (const socket of [near, far]) {
      this.open.add(socket);
      socket.on('error', end);
      socket.once('close', () => {
        this.open.delete(socket);
        end();
      });
    }
    near.on('data', (chunk: Buffer) => (this.in += chunk.length));
    far.on('data', (chunk: Buffer) => (this.out += chunk.length));
    near.pipe(far);
    far.pipe(near);
  }
}
