import { expect } from 'chai';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { ChatClient } from '../support/chat-client.js';
import { converse, read, say } from '../support/chat.js';
import { until } from '../support/until.js';

const SOCKETS = 100;
/** A hundred take a little longer than this in milliseconds; all at once would be told within a few. */
const SPREAD_MS = 300;
const CLIENTS = 10;
/** As many as one page shows. */
const MOST_MESSAGES = 99;

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
});
