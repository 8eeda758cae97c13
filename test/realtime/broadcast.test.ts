import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { io } from 'socket.io-client';
import { systemClock } from '../../src/core/clock.js';
import { shape, text } from '../../src/core/http/schema.js';
import { adapterSource } from '../../src/core/realtime/adapter-stream.js';
import { adapterCollection } from '../../src/core/realtime/collections.js';
import { Overload } from '../../src/core/overload.js';
import { Hub } from '../../src/core/realtime/hub.js';
import { type Broadcaster, clientEvent, userRoom } from '../../src/core/realtime/namespace.js';
import { LiveSocket } from '../support/api.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

const [ONE, OTHER, THIRD] = ['a'.repeat(24), 'b'.repeat(24), 'c'.repeat(24)] as const;

describe('What is said to every node', () => {
  let lab: EventLab;
  const hubs: Hub[] = [];
  const urls: string[] = [];
  const broadcasters: Broadcaster[] = [];
  const sockets: LiveSocket[] = [];
  before(async () => {
    lab = await EventLab.open([adapterCollection]);
    for (let node = 0; node < 2; node += 1) await startHub();
  });
  after(async () => {
    for (const { socket } of sockets) socket.disconnect();
    for (const hub of hubs) await hub.stop();
    await lab.close();
  });

  /** A node whose clients say to all others what they are told to say; their token is their name. */
  async function startHub(): Promise<void> {
    const server = createServer();
    const hub = new Hub({
      server,
      database: lab.database,
      feed: await lab.feed({ sources: [adapterSource] }),
      overload: new Overload({ aimMs: 0 }),
      authenticator: {
        verifyAccessToken: (id) =>
          Promise.resolve({ actor: { id, role: 'student', sessionId: id }, expiresAt: new Date(8.64e15) }),
      },
      namespaces: [
        {
          name: '/talk',
          summary: 'For tests.',
          clientEvents: {
            say: clientEvent({
              summary: 'Says something to everyone else.',
              payload: shape({ text: text({ max: 100 }) }),
              handle({ actor, payload, broadcaster }) {
                broadcaster.broadcast('all', 'said', payload, { except: [userRoom(actor.id)] });
                return Promise.resolve(undefined);
              },
            }),
            enter: clientEvent({
              summary: 'Hears what is said to all.',
              payload: shape({}),
              handle({ connection }) {
                connection.join('all');
                return Promise.resolve(undefined);
              },
            }),
          },
          serverEvents: {},
          onOpen: (broadcaster) => void broadcasters.push(broadcaster),
        },
      ],
      origins: [],
      clock: systemClock,
      log: lab.logger,
    });
    hub.start();
    hubs.push(hub);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async function connect(token: string, node: number): Promise<LiveSocket> {
    const options = { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false };
    const live = new LiveSocket(io(`${urls[node]!}/talk`, options));
    sockets.push(live);
    await new Promise<void>((resolve) => live.socket.once('connect', resolve));
    return live;
  }

  it('is heard once by everyone in the room on whatever node, but for those left out', async () => {
    const speakers = [await connect(ONE, 0), await connect(ONE, 1)];
    const hearers = [await connect(OTHER, 0), await connect(OTHER, 1)];
    const outsider = await connect(THIRD, 1);
    for (const socket of [...speakers, ...hearers]) expect(await socket.ask('enter', {})).to.deep.equal({ ok: true });

    await speakers[0]!.ask('say', { text: 'مرحبًا' });
    await Promise.all(hearers.map((socket) => socket.next('said', ({ text: said }) => said === 'مرحبًا')));
    // Whoever hears this second one would have heard the first.
    for (const room of [userRoom(ONE), userRoom(THIRD)]) broadcasters[0]!.broadcast(room, 'marker', { n: 1 });
    await Promise.all([...speakers, outsider].map((socket) => socket.next('marker')));
    for (const socket of hearers) expect(socket.all('said')).to.deep.equal([{ text: 'مرحبًا' }]);
    for (const socket of [...speakers, outsider]) {
      expect(socket.heard.map(({ event }) => event)).to.deep.equal(['marker']);
    }
  });

  it('comes by the stream that brings the events, and by none of its own', async () => {
    // One that was begun anew on a busy machine may still be listed a moment.
    await until(
      () => lab.openStreams(),
      (count) => count === hubs.length,
    );
  });
});
