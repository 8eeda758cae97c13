import { expect } from 'chai';
import { type Api, Campus, type Person } from '../support/campus.js';
import { clientId, converse, read, say } from '../support/chat.js';

describe('Messages of many senders at once on two nodes', () => {
  let campus: Campus;
  let nodes: Api[];
  let people: Person[];
  before(async () => {
    campus = await Campus.open({ ROLE: 'api' });
    nodes = [await campus.startNode(), await campus.startNode()];
    people = await Promise.all(Array.from({ length: 10 }, (_, index) => nodes[index % 2]!.register()));
  });
  after(async () => {
    for (const person of people) person.disconnect();
    await campus.close();
  });

  it('stand in one order without gaps, which everybody hears and reads', async () => {
    const id = await converse(people[0]!, people.slice(1), 'Everyone');
    const sockets = await Promise.all(people.map((person) => person.connect('/messages')));
    // Fifty senders: five tabs of each of ten people.
    const sent = await Promise.all(
      Array.from({ length: 50 }, async (_, tab) => {
        const own: number[] = [];
        for (let turn = 0; turn < 3; turn += 1) {
          const payload = { conversationId: id, clientId: clientId(), body: `${tab} ${turn}` };
          const { ok, message, error } = await sockets[tab % 10]!.ask('message:send', payload);
          expect(ok, JSON.stringify(error)).to.equal(true);
          own.push(message.seq as number);
        }
        return own;
      }),
    );
    const places = Array.from({ length: 150 }, (_, index) => index + 1);
    expect(sent.flat().sort((a, b) => a - b)).to.deep.equal(places);
    // Each sender’s own are in the order of sending.
    for (const own of sent) expect(own).to.deep.equal([...own].sort((a, b) => a - b));
    const stored = [
      ...(await read(people[3]!, id, '?limit=100&after=0')),
      ...(await read(people[3]!, id, '?after=100')),
    ];
    for (const socket of sockets) {
      expect(await socket.collect('message:new', 150)).to.deep.equal(stored);
    }
    expect(stored.map(({ seq }) => seq as number)).to.deep.equal(places);
  });

  it('are one where they have one clientId, sent five times at once over both nodes, sockets and REST', async () => {
    const [sara, omar] = [people[0]!, people[1]!];
    const id = await converse(sara, [omar]);
    const sockets = await Promise.all([sara.connect('/messages'), sara.on(nodes[1]!).connect('/messages')]);
    const his = await omar.connect('/messages');
    const again = { clientId: clientId(), body: 'مرة واحدة' };
    const bySocket = sockets.flatMap((socket) =>
      [1, 2].map(async () => (await socket.ask('message:send', { conversationId: id, ...again })).message),
    );
    const answers = await Promise.all([...bySocket, say(sara.on(nodes[1]!), id, again.body, again)]);
    for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
    const end = await say(sara, id, 'End');
    await his.next('message:new', (message) => message.id === end.id);
    expect(his.all('message:new').filter((message) => message.conversationId === id)).to.deep.equal([answers[0], end]);
    expect(await read(omar, id)).to.deep.equal([answers[0], end]);
  });
});
