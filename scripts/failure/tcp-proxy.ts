import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What the network does to a connection. */
export type Trouble =
  /** It is cut, and so is every attempt to make another. */
  | { kind: 'cut' }
  /** It stays, and nothing is taken or comes through any more, in either direction: nobody is told. */
  | { kind: 'silent' }
  /** Everything comes later by so many milliseconds. */
  | { kind: 'slow'; ms: number };

interface Link {
  /** Who has made the connection, by the name that it gave; empty where it gave none, as members of the set do. */
  client: string;
  sockets: [Socket, Socket];
  /** What the network does to it. */
  trouble: Trouble | undefined;
}

const LOOPBACK = '127.0.0.1';
/** The name of an application in the first message of a MongoDB driver: BSON of `{ application: { name } }`. */
const APPLICATION = /\x03application\x00[\s\S]{4}\x02name\x00[\s\S]{4}([^\x00]+)\x00/;

/**
 * Stands between one mongod and whoever talks to it, members of its set included, and makes trouble for some of them or
 * for all. Clients are told apart by `appName` of their connection string.
 */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private trouble: { of: (client: string) => boolean; trouble: Trouble } | undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly target: number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  static async start(port: number, target: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    return new TcpProxy(server, port, target);
  }

  /** Makes trouble for the clients that are meant, on connections that there are and on new ones, until `heal`. */
  begin(trouble: Trouble, of: (client: string) => boolean): void {
    this.trouble = { of, trouble };
    for (const link of this.links) if (of(link.client)) this.afflict(link);
  }

  /** What was silent stays cut: its clients find out when they hear nothing, or when they say something. */
  heal(): void {
    this.trouble = undefined;
    for (const link of this.links) {
      if (link.trouble?.kind === 'silent') end(link);
      link.trouble = undefined;
    }
  }

  /** Cuts what there is; what comes after passes. */
  cut(): void {
    for (const link of this.links) end(link);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    await closed;
  }

  private accept(near: Socket): void {
    near.once('error', () => near.destroy());
    near.once('data', (first: Buffer) => {
      near.pause();
      this.join(near, first, APPLICATION.exec(first.toString('latin1'))?.[1] ?? '');
    });
  }

  private join(near: Socket, first: Buffer, client: string): void {
    const far = connect({ port: this.target, host: LOOPBACK, noDelay: true });
    const link: Link = { client, sockets: [near, far], trouble: undefined };
    this.links.add(link);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => end(link));
      from.once('close', () => {
        this.links.delete(link);
        if (link.trouble?.kind !== 'silent') end(link);
      });
      from.on('data', (chunk: Buffer) => this.pass(link, from, to, chunk));
    }
    if (this.trouble?.of(client) === true) this.afflict(link);
    this.pass(link, near, far, first);
    if (link.trouble?.kind !== 'silent') near.resume();
  }

  private pass(link: Link, from: Socket, to: Socket, chunk: Buffer): void {
    const { trouble } = link;
    if (trouble?.kind === 'silent') return;
    if (trouble?.kind === 'slow') {
      // Timers of one length fire in the order in which they were set: nothing overtakes.
      setTimeout(() => to.write(chunk), trouble.ms);
      return;
    }
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => {
      if (link.trouble?.kind !== 'silent') from.resume();
    });
  }

  private afflict(link: Link): void {
    link.trouble = this.trouble?.trouble;
    if (link.trouble?.kind === 'cut') end(link);
    if (link.trouble?.kind === 'silent') for (const socket of link.sockets) socket.pause();
  }
}

function end({ sockets }: Link): void {
  for (const socket of sockets) socket.destroy();
}
