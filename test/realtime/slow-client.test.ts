import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { ObjectId } from 'mongodb';
import { expect } from 'chai';
import { Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';

/** A wire between clients and a node that can be held, as by a phone that went into a tunnel. */
class Wire {
  private readonly pairs: { client: Socket; upstream: Socket }[] = [];
  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<Wire> {
    const server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      wire.pairs.push({ client, upstream });
      client.pipe(upstream).pipe(client);
      for (const end of [client, upstream]) end.on('error', () => end.destroy());
    });
    const wire = new Wire(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return wire;
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing that the node sends is read any more. */
  hold(): void {
    for (const { client, upstream } of this.pairs) upstream.unpipe(client).pause();
  }

  release(): void {
    for (const { client, upstream } of this.pairs) upstream.pipe(client);
  }

  close(): void {
    this.server.close();
    for (const { client, upstream } of this.pairs) for (const end of [client, upstream]) end.destroy();
  }
}

describe('A client that stops reading', () => {
  let campus: Campus;
  let api: Api;
  let wire: Wire;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    // Without the reactor, so that the flood below reaches sockets only.
    api = await campus.startNode({ env: { ROLE: 'api' } });
    wire = await Wire.to(Number(new URL(api.url).port));
  });
  after(async () => {
    wire.close();
    await campus.close();
  });

  const connected = async (): Promise<number> => {
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    return Number(/^atrium_sockets (\d+)/m.exec(metrics)?.[1]);
  };

  const TEXT = 'x'.repeat(8_000);

  /** Comments as the outbox holds them, more at once than a test could write through the API. */
  async function flood(
    postId: string,
    author: { id: string; name: string },
    from: number,
    count: number,
  ): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => {
      const summary = { id: author.id, name: author.name, role: 'student' };
      const comment = {
        id: new ObjectId().toHexString(),
        postId,
        author: summary,
        content: TEXT,
        createdAt: new Date(),
      };
      return {
        type: 'comment.created',
        at: new Date(),
        actorId: author.id,
        entity: { kind: 'comment', id: comment.id },
        audience: { postId },
        data: {
          postId,
          authorId: author.id,
          reactionCounts: {},
          commentCount: from + index + 1,
          comment,
          excerpt: 'x',
        },
      };
    });
    await campus.db.collection('events').insertMany(events);
  }

  it('is disconnected before its backlog grows large, while the others hear everything', async () => {
    const [author, stuck, healthy] = [await api.register(), await api.register(), await api.register()];
    const postId = await author.publish();
    const slow = await stuck.on(new Api(wire.url)).connect('/feed');
    const quick = await healthy.connect('/feed');
    for (const socket of [slow, quick]) expect(await socket.ask('post:watch', { postId })).to.deep.equal({ ok: true });
    expect(await connected()).to.equal(2);

    wire.hold();
    let sent = 0;
    while ((await connected()) > 1) {
      expect(sent, 'the node keeps on buffering').to.be.below(3_000);
      await flood(postId, author, sent, 200);
      sent += 200;
      await quick.collect('comment:new', sent);
    }

    await flood(postId, author, sent, 1);
    const numbers = (await quick.collect('post:counts', sent + 1)).map(({ commentCount }) => commentCount);
    expect(numbers).to.deep.equal(Array.from({ length: sent + 1 }, (_, index) => index + 1));
    expect(await until(connected, (count) => count === 1)).to.equal(1);

    // What had left the node arrives, then the end; the rest was dropped.
    wire.release();
    await slow.closed();
    expect(slow.all('comment:new').length).to.be.within(1, sent - 200);
    healthy.disconnect();
  });
});
