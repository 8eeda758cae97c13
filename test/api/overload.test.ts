import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ObjectId } from 'mongodb';
import { LOOK_MS } from '../../src/core/overload.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';

const AT_ONCE = 60;
const SOCKETS = 30;
/** Below what a socket may send in ten seconds. */
const ROUNDS = 30;

describe('A node that has too much to do', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    // Nothing is that quick: with more than a few at once it is overloaded.
    campus = await Campus.open({ ...WITHOUT_WORKERS, OVERLOAD_MS: '1' });
    api = await campus.startNode();
    person = await api.register();
  });
  after(() => campus.close());

  /** Asks many things at once, again and again, until one of them is turned away; answers with those of that round. */
  async function untilShed(askAll: () => Promise<Json[]>, isShed: (answer: Json) => boolean): Promise<Json[]> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await askAll();
      if (answers.some(isShed)) return answers;
    }
    throw new Error('nothing was turned away');
  }

  it('answers some requests and turns the others away with 503 and Retry-After; a single one gets through', async () => {
    const askAll = () => Promise.all(Array.from({ length: AT_ONCE }, () => person.get('/users/me')));
    const answers = await untilShed(askAll, ({ status }) => status === 503);
    const shed = answers.filter(({ status }) => status === 503);
    for (const { body, headers } of shed) {
      expect(body.code).to.equal('OVERLOADED');
      expect(Number(headers.get('retry-after'))).to.be.within(1, 3);
    }
    expect(answers.filter(({ status }) => status === 200)).to.have.length(AT_ONCE - shed.length);
    expect(shed.length).to.be.below(AT_ONCE);

    expect((await person.get('/users/me')).status).to.equal(200);
    const metrics = await api.request('GET', '/api/../metrics');
    expect(metrics.status, 'it still says how it is').to.equal(200);
    expect(metrics.body).to.match(/atrium_shed_total\{kind="request"\} [1-9]/);
  });

  it('takes those who send slowly for no load: everybody else is answered', async () => {
    const { hostname, port } = new URL(api.url);
    const slow = await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: campus\r\nContent-Type: application/json\r\n';
        socket.write(`${head}Content-Length: 100\r\n\r\n{`);
        return socket;
      }),
    );
    // So long that a node would have looked at them several times.
    const until = Date.now() + 15 * LOOK_MS;
    while (Date.now() < until) expect((await person.get('/users/me')).status).to.equal(200);
    for (const socket of slow) socket.destroy();
  });

  it('says the same in the acknowledgements of sockets', async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => person.connect('/messages')));
    const payload = { conversationId: new ObjectId().toHexString() };
    const askAll = () =>
      Promise.all(sockets.flatMap((socket) => [1, 2, 3].map(() => socket.ask('conversation:join', payload))));
    const answers = await untilShed(askAll, ({ error }) => error.code === 'OVERLOADED');
    const codes = new Set(answers.map(({ error }) => error.code as string));
    expect([...codes]).to.have.members(['OVERLOADED', 'CONVERSATION_NOT_FOUND']);
    expect(answers.find(({ error }) => error.code === 'OVERLOADED').error.status).to.equal(503);

    const [socket] = sockets;
    expect((await socket!.ask('conversation:join', payload)).error.code).to.equal('CONVERSATION_NOT_FOUND');
    person.disconnect();
  });
});
