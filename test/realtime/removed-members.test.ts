import { expect } from 'chai';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { converse, read, say, sociable } from '../support/chat.js';

const ROUNDS = 6;

/** How long a member was away, as the conversation counts: from a message said after they had gone to their return. */
interface Absence {
  from: number;
  to: number;
}

describe('A member who is taken out and comes back while others talk on three nodes', function () {
  this.timeout(60_000);

  let campus: Campus;
  let nodes: Api[];
  let owner: Person;
  let talkers: Person[];
  let member: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    nodes = [await campus.startNode(), await campus.startNode(), await campus.startNode()];
    owner = await nodes[0]!.register();
    talkers = await Promise.all(nodes.map((node) => node.register({ name: 'متحدث' })));
    member = await sociable(await nodes[0]!.register());
  });
  const sockets: LiveSocket[] = [];
  after(async () => {
    for (const { socket } of sockets) socket.disconnect();
    await campus.close();
  });

  const listen = async (person: Person): Promise<LiveSocket> => {
    const socket = await person.connect('/messages');
    sockets.push(socket);
    return socket;
  };
  const ok = async (asked: Promise<Json>): Promise<void> => {
    expect(await asked).to.include({ ok: true });
  };

  it('hears and reads nothing that was said between, on any node, and everything after', async () => {
    const id = await converse(owner, [...talkers, member], 'Busy');
    const path = `/conversations/${id}/members`;
    const conversation = { conversationId: id };
    // One socket of the member on each node, and of somebody who stays.
    const own = await Promise.all(nodes.map((node) => listen(member.on(node))));
    const staying = await Promise.all(nodes.map((node, index) => listen(talkers[index]!.on(node))));
    for (const socket of staying) await ok(socket.ask('conversation:join', conversation));
    const talk = (count: number): Promise<Json[]> =>
      Promise.all(Array.from({ length: count }, (_, index) => say(talkers[index % 3]!, id, `رسالة ${index}`)));
    let typed = 0;
    const typing = async (isTyping: boolean): Promise<void> => {
      await ok(staying[0]!.ask(isTyping ? 'typing:start' : 'typing:stop', conversation));
      typed += 1;
      await staying[1]!.collect('typing', typed);
    };

    const absences: Absence[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const socket of own) await ok(socket.ask('conversation:join', conversation));
      // Looking at it again at that very moment keeps nobody in it.
      const looking = own.map((socket) => socket.ask('conversation:join', conversation));
      const [, removed] = await Promise.all([talk(7), owner.delete(`${path}/${member.id}`), ...looking]);
      expect(removed.status).to.equal(204);
      const next = await say(talkers[round % 3]!, id, 'They have gone');
      // Where that was heard, they have left the room.
      for (const socket of staying) await socket.next('message:new', (told) => told.id === next.id);
      const between = await talk(6);
      await typing(true);
      await typing(false);
      const [, added] = await Promise.all([talk(6), owner.post(path, { userIds: [member.id] })]);
      expect(added.status).to.equal(200);
      const members = (await owner.get(path)).body.data as Json[];
      // Who has just come has read what was said before they came.
      const to = members.find(({ userId }) => userId === member.id).lastReadSeq as number;
      absences.push({ from: next.seq as number, to });
      expect(to).to.be.at.least(Math.max(...between.map(({ seq }) => seq as number)));

      const seen = (await read(member, id, '?after=0&limit=100')).map(({ seq }) => seq as number);
      expect(Math.min(...seen, Infinity)).to.be.above(to);
      const after = await say(talkers[round % 3]!, id, 'They are back');
      for (const socket of own) await socket.next('message:new', (told) => told.id === after.id);
    }

    for (const socket of own) {
      const heard = socket.all('message:new').map(({ seq }) => seq as number);
      const wrongly = heard.filter((seq) => absences.some(({ from, to }) => seq >= from && seq <= to));
      expect(wrongly).to.deep.equal([]);
      // Each once, in their order.
      expect(heard).to.deep.equal([...new Set(heard)].sort((one, other) => one - other));
      expect(socket.all('typing')).to.deep.equal([]);
    }
    expect(staying[2]!.all('message:new')).to.have.length(ROUNDS * 21);
    expect(staying[1]!.all('typing')).to.have.length(ROUNDS * 2);
  });
});
