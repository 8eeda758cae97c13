import { ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { type LiveSocket, type Person } from '../../test/support/api.js';
import { type FloorNodes } from './floor-nodes.js';
import { atRate, until } from './pace.js';
import { type Latencies } from './reactions.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 20_000;
const AT_ONCE = 8;
const TEXT = 'Shall we meet at the library at five? أراك هناك.';

/** Someone who talks, on one node. */
export interface Chatter {
  id: string;
  socket: LiveSocket;
}

interface Pair {
  conversationId: string;
  sender: Chatter;
}

/** Where they come, and how two begin to talk there. */
interface Place {
  arrive: (number: number) => Promise<Chatter>;
  converse: (one: Chatter, other: Chatter) => Promise<string>;
}

/**
 * Messages by socket, from the sender's emit to the other's receipt; both may be on different nodes. Both have the
 * conversation on the screen, as people have who talk to one another.
 */
export class Chat {
  private readonly startedAt = new Map<string, number>();
  private took: number[] = [];
  private refused = 0;
  private next = 0;

  private constructor(
    private readonly chatters: readonly Chatter[],
    private readonly pairs: readonly Pair[],
  ) {
    for (const { id, socket } of chatters) {
      socket.socket.on('message:new', ({ clientId, senderId }: { clientId: string; senderId: string }) => {
        if (senderId === id) return;
        const begun = this.startedAt.get(clientId);
        if (begun !== undefined && this.startedAt.delete(clientId)) this.took.push(performance.now() - begun);
      });
    }
  }

  /** Each of so many people, spread over Atrium's nodes, has a conversation with the next one and with the one after. */
  static onAtrium(stage: Stage, people: number): Promise<Chat> {
    const nodes = stage.servers();
    const persons = new Map<string, Person>();
    return Chat.between(people, {
      arrive: async (number) => {
        const person = await (nodes[number % nodes.length] ?? stage.server()).register();
        persons.set(person.id, person);
        return { id: person.id, socket: await person.connect('/messages') };
      },
      converse: async (one, other) => {
        const answer = await persons.get(one.id)?.post('/conversations', { userIds: [other.id] });
        if (answer?.status !== 201) throw new Error(`no conversation was opened: ${JSON.stringify(answer?.body)}`);
        return (answer.body as { id: string }).id;
      },
    });
  }

  /** The same on nodes that do nothing else. */
  static onFloor(nodes: FloorNodes, people: number): Promise<Chat> {
    return Chat.between(people, {
      arrive: (number) => nodes.arrive(number),
      converse: () => Promise.resolve(new ObjectId().toHexString()),
    });
  }

  get size(): number {
    return this.pairs.length;
  }

  async run(perSecond: number, seconds: number): Promise<Latencies> {
    this.took = [];
    await atRate(perSecond, seconds, () => this.say());
    await until(() => this.startedAt.size === 0, PATIENCE_MS);
    const overdue = this.startedAt.size + this.refused;
    this.startedAt.clear();
    this.refused = 0;
    return { took: this.took, overdue };
  }

  end(): void {
    for (const { socket } of this.chatters) socket.socket.disconnect();
  }

  private static async between(people: number, place: Place): Promise<Chat> {
    const limit = pLimit(AT_ONCE);
    const chatters = await Promise.all(
      Array.from({ length: people }, (_, number) => limit(() => place.arrive(number))),
    );
    const pairs = await Promise.all(
      chatters.flatMap((sender, index) =>
        [1, 2].map((step) =>
          limit(async () => {
            const other = chatters[(index + step) % chatters.length] ?? sender;
            const conversationId = await place.converse(sender, other);
            for (const each of [sender, other]) await each.socket.ask('conversation:join', { conversationId });
            return { conversationId, sender };
          }),
        ),
      ),
    );
    return new Chat(chatters, pairs);
  }

  /** Goes round the pairs, so that nobody says more than a socket may. */
  private say(): void {
    const { conversationId, sender } = this.pairs[this.next % this.pairs.length] ?? {};
    if (conversationId === undefined || !sender) throw new Error('there is nobody to talk');
    const clientId = String(this.next++);
    this.startedAt.set(clientId, performance.now());
    sender.socket.ask('message:send', { conversationId, clientId, body: TEXT }).then(
      (answer: unknown) => {
        const { ok, error } = answer as { ok: boolean; error?: { code: string } };
        if (!ok) this.fail(clientId, error?.code);
      },
      (error: unknown) => this.fail(clientId, error),
    );
  }

  private fail(clientId: string, why: unknown): void {
    this.startedAt.delete(clientId);
    if (this.refused++ === 0) console.error('a message was refused:', why);
  }
}
