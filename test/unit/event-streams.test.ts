import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import { type Missed } from '../../src/core/realtime/event-stream.js';
import { EventStreams } from '../../src/core/realtime/event-streams.js';
import { userRoom } from '../../src/core/realtime/namespace.js';
import { createLog } from '../../src/core/observability/log.js';
import { Problem } from '../../src/core/http/problem.js';
import { Api, Person } from '../support/api.js';
import { MovableClock } from '../support/clock.js';
import { LiveStream } from '../support/stream.js';
import { until } from '../support/until.js';

const ACTOR = { id: 'f'.repeat(24), role: 'student', sessionId: 'session' };
const NOTHING: Missed = { messages: [], position: 7 };

describe('Event streams', () => {
  const clock = new MovableClock();
  let streams: EventStreams;
  let server: Server;
  let person: Person;
  /** What each asks for when it is opened. */
  let missed: () => Promise<Missed>;

  beforeEach(async () => {
    missed = () => Promise.resolve(NOTHING);
    streams = new EventStreams({
      authenticator: { verifyAccessToken: () => Promise.resolve({ actor: ACTOR, expiresAt: new Date(8.64e15) }) },
      clock,
      log: createLog('silent'),
      heartbeatMs: 20,
    });
    streams.start();
    const app = express();
    app.get('/api/v1/stream', async (request, response) => {
      await streams.open({ actor: ACTOR, request, response, missed: () => missed() }).catch((error: unknown) => {
        response.status(error instanceof Problem ? error.status : 500).end();
      });
    });
    server = createServer((request, response) => void app(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const api = new Api(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    person = new Person(api, { user: { id: ACTOR.id, name: 'x' }, accessToken: 'x', refreshToken: 'x' }, 'x', 'x');
  });
  afterEach(() => {
    streams.stop();
    server.closeAllConnections();
    server.close();
  });

  const open = (): Promise<LiveStream> => LiveStream.open(person, { path: '/stream' });
  const say = (event: string, position?: number): void => {
    streams.emit(userRoom(ACTOR.id), event, { event }, position === undefined ? {} : { position });
  };
  const heard = (stream: LiveStream): string[] => stream.heard.map(({ event }) => event);

  it('show signs of life while there is nothing to say', async () => {
    const stream = await open();
    await until(() => stream.comments.length >= 3);
    expect(stream.heard).to.deep.equal([]);
    expect(stream.lastEventId).to.equal('7');
    stream.cut();
    await until(() => streams.size === 0);
    expect(streams.has(userRoom(ACTOR.id))).to.equal(false);
  });

  it('hold what comes while it is found out what was missed, and say nothing of that twice', async () => {
    missed = () => {
      say('among the missed', 8);
      say('comes later', 9);
      say('has no position');
      return Promise.resolve({ messages: [{ event: 'missed', payload: {}, position: 8 }], position: 8 });
    };
    const stream = await open();
    await stream.next('has no position');
    expect(heard(stream)).to.deep.equal(['missed', 'comes later', 'has no position']);
    expect(stream.lastEventId).to.equal('9');
    stream.cut();
  });

  it('ask once more where something was shown as it stood meanwhile, and say how it is', async () => {
    const since = new Date(5_000);
    const states = (stand: string) => streams.emit(userRoom(ACTOR.id), 'state', { stand }, { since });
    let looks = 0;
    missed = () => {
      looks += 1;
      if (looks < 3) states(`at look ${looks}`);
      if (looks === 1) {
        say('done before the last look', 8);
        say('about something else');
      } else say('done after all', 9);
      return Promise.resolve({ messages: [{ event: 'as it is', payload: {}, position: 8 }], position: 8, since });
    };
    const stream = await open();
    await stream.next('done after all');
    expect(heard(stream)).to.deep.equal(['as it is', 'about something else', 'done after all']);
    expect(stream.lastEventId).to.equal('9-5000');
    states('live');
    await stream.next('state');
    expect(stream.lastEventId).to.equal('9-5000');
    stream.cut();
  });

  it('ask their clients to look where it never ends', async () => {
    missed = () => {
      streams.emit(userRoom(ACTOR.id), 'state', {}, { since: new Date(0) });
      return Promise.resolve(NOTHING);
    };
    const stream = await open();
    await stream.next('resync');
    stream.cut();
  });

  it('are refused where the session ends while they are opened, and where what was missed cannot be read', async () => {
    missed = () => {
      streams.disconnectSession(ACTOR.sessionId);
      return Promise.resolve(NOTHING);
    };
    const failed = async (): Promise<string> => {
      try {
        await open();
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await failed()).to.include('401');
    missed = () => Promise.reject(new Error('no database'));
    expect(await failed()).to.include('500');
    expect(streams.size).to.equal(0);
    streams.stop();
    expect(await failed()).to.include('503');
  });
});
