import { expect } from 'chai';
import fc from 'fast-check';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { ChatClient, kept } from '../support/chat-client.js';
import { converse, read, send, sociable } from '../support/chat.js';
import { until } from '../support/until.js';

/** What somebody does; `which` picks among what there is to pick from. */
interface Act {
  who: number;
  where: number;
  kind: 'send' | 'edit' | 'erase' | 'hide' | 'react' | 'unreact' | 'read' | 'cut' | 'leave' | 'add' | 'remove';
  which: number;
}

const act: fc.Arbitrary<Act> = fc.record({
  who: fc.nat(2),
  where: fc.nat(1),
  kind: fc.constantFrom(
    ...(['send', 'send', 'send', 'send', 'edit', 'erase', 'hide', 'react', 'react', 'unreact'] as const),
    ...(['read', 'cut', 'cut', 'leave', 'add', 'add', 'remove'] as const),
  ),
  which: fc.nat(20),
});
/** Rounds of things that happen at the same time. */
const history = fc.array(fc.array(act, { minLength: 3, maxLength: 6 }), { minLength: 6, maxLength: 6 });

const RUNS = 3;

describe('Whatever happens in conversations', function () {
  this.timeout(90_000);

  let campus: Campus;
  let nodes: [Api, Api];
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    nodes = [await campus.startNode(), await campus.startNode({ env: { ROLE: 'api' } })];
  });
  after(() => campus.close());

  /** Three people, a conversation of two of them and a group of all, and what each one’s client holds. */
  async function scene() {
    const people = await Promise.all([0, 1, 2].map(async (index) => sociable(await nodes[index % 2]!.register())));
    const [owner, ...others] = people as [Person, Person, Person];
    const clients = people.map((person) => new ChatClient(person));
    await Promise.all(clients.map((client, index) => client.connect(nodes[index % 2]!)));
    const places = [await converse(owner, [others[0]]), await converse(owner, others, 'All')];
    return { people, clients, places, owner };
  }

  type Scene = Awaited<ReturnType<typeof scene>>;

  async function happen({ people, clients, places, owner }: Scene, { who, where, kind, which }: Act): Promise<void> {
    const [person, client, place] = [people[who]!, clients[who]!, places[where]!];
    const path = `/conversations/${place}`;
    if (kind === 'send') await send(person, place, `رسالة ${which}`);
    else if (kind === 'cut') await client.connect(nodes[which % 2]!);
    else if (kind === 'read') await person.put(`${path}/read`, { seq: which });
    else if (kind === 'leave') await person.post(`/conversations/${places[1]!}/leave`);
    else if (kind === 'add') await owner.post(`/conversations/${places[1]!}/members`, { userIds: [person.id] });
    else if (kind === 'remove') await owner.delete(`/conversations/${places[1]!}/members/${person.id}`);
    else {
      const { body } = await person.get(`${path}/messages`);
      const all = (body.data ?? []) as Json[];
      const message = all[which % Math.max(1, all.length)];
      if (!message) return;
      const one = `${path}/messages/${message.id as string}`;
      if (kind === 'edit') await person.patch(one, { body: `Edited ${which}` });
      else if (kind === 'erase') await person.delete(one);
      else if (kind === 'hide') await person.delete(`${one}?for=me`);
      else if (kind === 'react') await person.post(`${one}/reactions`, { emoji: which % 2 === 0 ? '👍' : '🎉' });
      else await person.delete(`${one}/reactions`);
    }
  }

  /** What the server has for somebody. */
  async function held(person: Person): Promise<Record<string, Json[]>> {
    const { body } = await person.get('/conversations');
    const conversations = (body.data as Json[]).map(async ({ id }) => {
      const messages = await read(person, id as string, '?after=0&limit=100');
      return [id as string, messages.map(kept)] as const;
    });
    return Object.fromEntries(await Promise.all(conversations));
  }

  const bySeq = (messages: Iterable<Json>): Json[] => [...messages].sort((one, other) => one.seq - other.seq);
  const view = ({ conversations }: ChatClient): Record<string, Json[]> =>
    Object.fromEntries([...conversations].map(([id, messages]) => [id, bySeq(messages.values())]));

  it('each client ends up with exactly what the server has for its user, whatever it heard and missed', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (rounds) => {
        const all = await scene();
        for (const round of rounds) await Promise.all(round.map((each) => happen(all, each)));
        // Without asking once more: what is heard is enough.
        for (const [index, person] of all.people.entries()) {
          const expected = await held(person);
          const client = all.clients[index]!;
          const found = await until(
            async () => {
              await client.settled();
              return JSON.stringify(sorted(view(client)));
            },
            (seen) => seen === JSON.stringify(sorted(expected)),
          ).catch(() => JSON.stringify(sorted(view(client))));
          expect(JSON.parse(found)).to.deep.equal(sorted(expected));
        }
        // And what a new client reads is the same as what it is told since the beginning.
        for (const [index, client] of all.clients.entries()) {
          await client.connect(nodes[index % 2]!);
          expect(sorted(view(client))).to.deep.equal(sorted(await held(all.people[index]!)));
          client.disconnect();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});

function sorted(view: Record<string, Json[]>): Record<string, Json[]> {
  return Object.fromEntries(Object.entries(view).sort(([one], [other]) => (one < other ? -1 : 1)));
}
