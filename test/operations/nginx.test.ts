import { expect } from 'chai';
import { once } from 'node:events';
import { request as rawRequest } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { checkDeployed, Nginx } from '../support/nginx.js';
import { type ProcessNode } from '../support/process-node.js';
import { LiveStream } from '../support/stream.js';
import { until } from '../support/until.js';

describe('nginx before two nodes', function () {
  // It may have to be installed, and starting processes takes long on a busy machine.
  this.timeout(120_000);

  let campus: Campus;
  let nodes: ProcessNode[];
  let nginx: Nginx;
  let api: Api;
  before(async () => {
    campus = await Campus.open({ ...WITHOUT_MAIL, TRUST_PROXY: '1' });
    nodes = await Promise.all([campus.startProcess(), campus.startProcess()]);
    nginx = await Nginx.start(nodes.map(addressOf));
    api = new Api(nginx.url);
  });
  after(async () => {
    await nginx.stop();
    await campus.close();
  });

  const addressOf = ({ url }: ProcessNode): string => `127.0.0.1:${new URL(url).port}`;

  /** The nodes that answered so many requests with this in their path; nginx notes each after its answer is out. */
  async function nodesOf(path: string, requests: number): Promise<string[]> {
    const withPath = async () => (await nginx.passed()).filter((each) => each.path.includes(path));
    const passed = await until(withPath, ({ length }) => length >= requests);
    return [...new Set(passed.flatMap(({ nodes: asked }) => asked))];
  }

  /** Someone who signs in by a browser, and what it sends with every request from then on. */
  async function browse(): Promise<{ person: Person; headers: { cookie: string } }> {
    const person = await api.register();
    const answer = await api.request('POST', '/auth/login', { email: person.email, password: person.password });
    const cookie = answer.headers
      .getSetCookie()
      .map((each) => each.split(';')[0]!)
      .find((each) => each.startsWith('atrium_affinity='))!;
    expect(cookie).to.match(/=[\w]{16,}$/);
    return { person, headers: { cookie } };
  }

  /** A socket by whichever transports; what it says on the way is told apart by its program. */
  async function connect(person: Person, transports: string[], extraHeaders: Record<string, string>): Promise<Socket> {
    const options = { auth: { token: person.token }, transports, extraHeaders, forceNew: true };
    const socket = io(`${nginx.url}/notifications`, options);
    await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', reject);
    });
    return socket;
  }

  it('takes the configuration that is deployed', async () => {
    expect(await checkDeployed()).to.equal('');
  });

  it('keeps all that a browser does with one node, and browsers at one address on both', async () => {
    const used = new Set<string>();
    for (let browsers = 0; browsers < 20 && used.size < 2; browsers += 1) {
      const { person, headers } = await browse();
      for (let requests = 0; requests < 3; requests += 1) {
        expect((await person.get(`/profiles/${person.id}`, { headers })).status).to.equal(200);
      }
      const [node, ...others] = await nodesOf(person.id, 3);
      expect(others, 'other nodes').to.be.empty;
      used.add(node!);
    }
    expect([...used]).to.have.members(nodes.map(addressOf));
  });

  it('lets sockets begin by long polling and go on by WebSocket, with cookies and without', async () => {
    const { person, headers } = await browse();
    // The second one is known by its address and its program.
    for (const extraHeaders of [headers, { 'user-agent': 'a phone' }]) {
      const polling = await connect(person, ['polling'], extraHeaders);
      await until(async () => {
        const { length } = (await nginx.passed()).filter(({ path }) => path === '/socket.io/');
        return length >= 3;
      });
      expect(polling.connected).to.equal(true);
      polling.disconnect();
      const upgrading = await connect(person, ['polling', 'websocket'], extraHeaders);
      await until(() => upgrading.io.engine.transport.name === 'websocket');
      upgrading.disconnect();
    }
    const refused = (await nginx.passed()).filter(({ path, status }) => path === '/socket.io/' && status >= 400);
    expect(refused).to.be.empty;
  });

  it('passes events on at once, to sockets and to streams', async () => {
    const [author, reader] = [await api.register(), await api.register()];
    const postId = await author.publish();
    const stream = await LiveStream.open(author);
    const socket = await author.connect('/notifications');
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const shown = await socket.next('notification:new');
    expect(await stream.next('notification:new')).to.deep.include({ id: shown.id, type: 'REACTION' });
    stream.cut();
    author.disconnect();
  });

  /** A request from an address of its own, with a path as it is written. */
  function ask(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    const { hostname, port } = new URL(nginx.url);
    return new Promise((resolve, reject) => {
      const from = { hostname, port, path, headers, localAddress: '127.0.0.7' };
      const sent = rawRequest(from, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.once('error', reject).end();
    });
  }

  it('tells the nodes the address of the client, whatever that says itself', async () => {
    const person = await api.register();
    const headers = { authorization: `Bearer ${person.token}`, 'x-forwarded-for': '203.0.113.9' };
    const requestId = `from-elsewhere-${person.id}`;
    expect((await ask('/api/v1/users/me', { ...headers, 'x-request-id': requestId })).status).to.equal(200);
    const line = await until(() => nodes.flatMap(({ log }) => log).find((each) => each['requestId'] === requestId));
    expect(line!['req']).to.include({ ip: '127.0.0.7' });
  });

  it('shows nobody outside how the nodes are', async () => {
    expect((await fetch(`${nodes[0]!.url}/metrics`)).status).to.equal(200);
    const inside = ['/metrics', '/METRICS', '/metrics/', '/health/live', '/health/ready', '/Health/ready'];
    const roundabout = ['/api/../metrics', '/api/%2e%2e/metrics', '/api/..%2fmetrics', '//metrics', '/docs/../metrics'];
    for (const path of [...inside, ...roundabout]) {
      const { status, body } = await ask(path);
      expect(status, path).to.equal(404);
      expect(JSON.parse(body), path).to.include({ status: 404, code: 'ROUTE_NOT_FOUND' });
    }
    for (const path of ['/docs', '/openapi.json', '/asyncapi.json']) expect((await ask(path)).status).to.equal(200);
  });

  it('refuses what is larger than anything, and leaves the rest to the nodes', async () => {
    const person = await api.register();
    const content = (megabytes: number) => ({ content: 'x'.repeat(megabytes * 1_048_576) });
    const byNode = await person.post('/posts', content(2));
    expect([byNode.status, byNode.body.code]).to.deep.equal([413, 'BODY_TOO_LARGE']);
    const byNginx = await person.post('/posts', content(27));
    expect([byNginx.status, byNginx.body.code]).to.deep.equal([413, 'BODY_TOO_LARGE']);
    expect(byNginx.body.detail).not.to.equal(byNode.body.detail);
  });

  it('asks the other node where one breaks off, but never sends twice what may have been done', async () => {
    const doomed = await BreakingOff.start();
    const other = await Nginx.start([doomed.address, addressOf(nodes[0]!)], 'max_fails=0');
    try {
      const person = await nodes[0]!.api.register();
      const through = person.on(new Api(other.url));
      const cookies = Array.from({ length: 12 }, (_, number) => ({ cookie: `atrium_affinity=browser-${number}` }));
      const read = await Promise.all(cookies.map((headers) => through.get('/users/me', { headers })));
      expect(read.map(({ status }) => status)).to.deep.equal(cookies.map(() => 200));
      expect(doomed.asked).to.be.above(0);

      const before = doomed.asked;
      const posted = await Promise.all(
        cookies.map((headers, number) => through.post('/posts', { content: `post ${number}` }, { headers })),
      );
      const lost = posted.filter(({ status }) => status === 503);
      expect(lost).to.have.length(doomed.asked - before);
      expect(lost[0]!.body.code).to.equal('NO_NODE');
      expect(lost[0]!.headers.get('retry-after')).to.equal('1');
      expect(posted.filter(({ status }) => status === 201)).to.have.length(cookies.length - lost.length);
    } finally {
      await other.stop();
      await doomed.stop();
    }
  });

  it('sends the people of a node that dies to the other one, and their sockets, too', async () => {
    const { person, headers } = await browse();
    await person.get(`/profiles/${person.id}`, { headers });
    const [address] = await nodesOf(person.id, 1);
    const dying = nodes.find((node) => addressOf(node) === address)!;
    const survivor = nodes.find((node) => node !== dying)!;
    const socket = await connect(person, ['websocket'], headers);
    const back = new Promise((resolve) => socket.once('disconnect', () => socket.once('connect', () => resolve(true))));

    await dying.kill();

    for (let requests = 0; requests < 10; requests += 1) {
      expect((await person.get('/users/me', { headers })).status).to.equal(200);
    }
    expect(await back).to.equal(true);
    const heard = once(socket as unknown as NodeJS.EventEmitter, 'notification:new');
    const reader = await survivor.api.register();
    const postId = await person.on(survivor.api).publish();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    expect((await heard)[0]).to.include({ type: 'REACTION' });
    socket.disconnect();
  });
});

/** A node that ends every connection as soon as something is asked on it. */
class BreakingOff {
  asked = 0;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        this.asked += 1;
        socket.destroy();
      });
    });
  }

  static async start(): Promise<BreakingOff> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BreakingOff(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }
}
