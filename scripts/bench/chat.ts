import { ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { type Api, type LiveSocket, type Person } from '../../test/support/api.js';
import { FLOOR } from './floor-collections.js';
import { atRate, until, wallClock } from './pace.js';
import { Helper } from './processes.js';
import { type Latencies } from './reactions.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 20_000;
const AT_ONCE = 8;
const TEXT = 'Shall we meet at the library at five? أراك هناك.';
const FLOOR_PER_SECOND = 100;

interface Chatter {
  person: Person;
  socket: LiveSocket;
}

interface Pair {
  conversationId: string;
  sender: Chatter;
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
    private readonly stage: Stage,
    private readonly chatters: Chatter[],
    private readonly pairs: Pair[],
  ) {
    for (const { person, socket } of chatters) {
      socket.socket.on('message:new', ({ clientId, senderId }: { clientId: string; senderId: string }) => {
        if (senderId === person.id) return;
        const begun = this.startedAt.get(clientId);
        if (begun !== undefined && this.startedAt.delete(clientId)) this.took.push(performance.now() - begun);
      });
    }
  }

  /** Each of so many people, spread over the nodes, has a conversation with the next one and with the one after. */
  static async prepare(stage: Stage, people: number): Promise<Chat> {
    const nodes = stage.servers();
    const limit = pLimit(AT_ONCE);
    const chatters = await Promise.all(
      Array.from({ length: people }, (_, index) => limit(() => arrive(nodes[index % nodes.length] ?? stage.server()))),
    );
    const pairs = await Promise.all(
      chatters.flatMap((sender, index) =>
        [1, 2].map((step) => limit(() => converse(sender, chatters[(index + step) % chatters.length]))),
      ),
    );
    return new Chat(stage, chatters, pairs);
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

  /** The raw insert and hop, at a rate that troubles nobody. */
  async floor(seconds: number): Promise<Latencies> {
    const messages = this.stage.db.collection(FLOOR.messages);
    // Only as long as it is needed: its stream costs the server something for each of Atrium's writes.
    const hop = await Helper.start('floor-hop.ts', { MONGODB_URI: this.stage.uri });
    await hop.ask({});
    await atRate(FLOOR_PER_SECOND, seconds, () => {
      const message = { sentAt: wallClock(), conversationId: new ObjectId(), body: TEXT };
      messages.insertOne(message).catch((error: unknown) => console.error(error));
    });
    const took: number[] = [];
    const end = performance.now() + PATIENCE_MS;
    while (took.length < FLOOR_PER_SECOND * seconds && performance.now() < end) {
      took.push(...(await hop.ask<number[]>({})));
    }
    await hop.stop();
    return { took, overdue: FLOOR_PER_SECOND * seconds - took.length };
  }

  end(): void {
    for (const { person } of this.chatters) person.disconnect();
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

async function arrive(node: Api): Promise<Chatter> {
  const person = await node.register();
  return { person, socket: await person.connect('/messages') };
}

async function converse(sender: Chatter, other: Chatter | undefined): Promise<Pair> {
  const answer = await sender.person.post('/conversations', { userIds: [other?.person.id] });
  if (answer.status !== 201) throw new Error(`no conversation was opened: ${JSON.stringify(answer.body)}`);
  const { id: conversationId } = answer.body as { id: string };
  for (const each of [sender, other]) await each?.socket.ask('conversation:join', { conversationId });
  return { conversationId, sender };
}
