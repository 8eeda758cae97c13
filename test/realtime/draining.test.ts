import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { ChatClient } from '../support/chat-client.js';
import { clientId, converse, read, say } from '../support/chat.js';
import { until } from '../support/until.js';

const SOCKETS = 100;
/** A hundred take a little longer than this in milliseconds; all at once would be told within a few. */
const SPREAD_MS = 300;
const CLIENTS = 10;
/** As many as one page shows. */
const MOST_MESSAGES = 99;
/** The level of what somebody should look at, in the log. */
const WARNING = 40;

describe('A node that stops', function () {
  // Starting a process takes long on a busy machine.
  this.timeout(60_000);

  let campus: Campus;
  let staying: Api;
  let sara: Person;
  let omar: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    staying = await campus.startNode();
    [sara, omar] = [await staying.register(), await staying.register()];
  });
  after(() => campus.close());

  it('sends its clients away one after the other, in a way in which they come back by themselves', async () => {
    const stopping = await campus.startProcess({ env: { ROLE: 'api' } });
    const there = sara.on(stopping.api);
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => there.connect('/messages')));
    const left: number[] = [];
    const reasons = sockets.map(async ({ socket }) => {
      const reason = await new Promise<string>((resolve) => socket.once('disconnect', resolve));
      left.push(performance.now());
      return reason;
    });
    expect(await stopping.terminate()).to.equal(0);
    // After that of a server that wants them gone they would not.
    expect(new Set(await Promise.all(reasons))).to.deep.equal(new Set(['transport close']));
    for (const socket of sockets) expect(socket.all('server:closing')).to.deep.equal([{}]);
    expect(Math.max(...left) - Math.min(...left), 'from the first to the last').to.be.above(SPREAD_MS);
  });

  it('lets none of those who go to another one miss anything', async () => {
    const stopping = await campus.startProcess({ env: { ROLE: 'api' } });
    const id = await converse(sara, [omar]);
    const clients = Array.from({ length: CLIENTS }, () => new ChatClient(omar));
    await Promise.all(clients.map((client) => client.connect(stopping.api)));
    const comingBack = clients.map(async (client) => {
      await client.closed();
      await client.connect(staying);
    });
    const enough = new AbortController();
    const talk = (async () => {
      for (let number = 1; number < MOST_MESSAGES && !enough.signal.aborted; number += 1)
        await say(sara, id, `Message ${number}`);
    })();
    await stopping.terminate();
    await Promise.all(comingBack);
    enough.abort();
    await talk;

    await say(sara, id, 'The last one');
    const said = (await read(sara, id, '?after=0&limit=100')).map(({ body }) => body as string);
    for (const client of clients) {
      await until(() => client.conversations.get(id)?.size === said.length);
      const held = [...client.conversations.get(id)!.values()].toSorted((one, two) => one.seq - two.seq);
      expect(held.map(({ body }) => body as string)).to.deep.equal(said);
      client.disconnect();
    }
  });

  /**
   * Sends a message that the database keeps waiting, ends its node and its connection, and expects it to be said.
   * @param waiting what the node logs once it has nothing else to wait for
   */
  async function breakOff(
    waiting: string,
    send: (node: Api, conversationId: string, body: string) => Promise<() => void>,
  ): Promise<void> {
    const stopping = await campus.startProcess({ env: { ROLE: 'api' } });
    const id = await converse(sara, [omar]);
    const newest = (await read(sara, id)).at(-1);
    const held = campus.client.startSession();
    held.startTransaction();
    const place = { conversationId: new ObjectId(id), seq: ((newest?.seq as number | undefined) ?? 0) + 1 };
    // Whoever wants a place that a transaction is about to take waits for its end.
    await campus.db.collection('messages').insertOne({ ...place, clientId: clientId() }, { session: held });
    try {
      const goAway = await send(stopping.api, id, 'Said in spite of that');
      await until(() => isInserting(campus));
      stopping.signal('SIGTERM');
      goAway();
      await until(() => stopping.log.some(({ msg }) => msg === waiting));
    } finally {
      // Left open it would hold up the next test as well.
      await held.abortTransaction();
      await held.endSession();
    }

    expect(await stopping.exited()).to.equal(0);
    expect(stopping.log.filter(({ level }) => Number(level) >= WARNING)).to.deep.equal([]);
    expect((await read(sara, id)).at(-1)).to.include({ body: 'Said in spite of that' });
  }

  it('finishes what a socket has asked for before it closes its database, although that is gone', () =>
    breakOff('stop: events of sockets are being finished', async (node, conversationId, body) => {
      const { socket } = await sara.on(node).connect('/messages');
      socket.emit('message:send', { conversationId, clientId: clientId(), body });
      return () => undefined;
    }));

  it('finishes what a request has asked for before it closes its database, although that is gone', () =>
    breakOff('stop: requests are being finished', (node, conversationId, body) => {
      const cut = new AbortController();
      const { token } = sara;
      fetch(`${node.url}/api/v1/conversations/${conversationId}/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ clientId: clientId(), body }),
        signal: cut.signal,
      }).catch(() => undefined);
      return Promise.resolve(() => cut.abort());
    }));
});

/** Whether a message is being written and is not yet. */
async function isInserting({ client, db }: Campus): Promise<boolean> {
  const pipeline = [{ $currentOp: {} }, { $match: { op: 'insert', ns: `${db.databaseName}.messages` } }];
  return client.db('admin').aggregate(pipeline).hasNext();
}
