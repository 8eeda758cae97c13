import { type Json, type LiveSocket } from './api.js';
import { type Api, type Person } from './campus.js';
import { read } from './chat.js';

/** What a client keeps of a message. */
export function kept({ id, seq, body, reactions, deletedAt }: Json): Json {
  const byUser = [...(reactions as Json[])].sort((one, other) => (one.userId < other.userId ? -1 : 1));
  return { id, seq, body, reactions: byUser, deleted: deletedAt !== undefined };
}

/**
 * A client as anyone would write it: it holds what it has heard, and asks for what it missed whenever it connects. It
 * knows nothing but what the documents say.
 */
export class ChatClient {
  /** By conversation and message. */
  readonly conversations = new Map<string, Map<string, Json>>();
  private position: string | undefined;
  private socket: LiveSocket | undefined;
  private person: Person;
  /** What follows on events, in their order. */
  private work: Promise<void> = Promise.resolve();

  constructor(person: Person) {
    this.person = person;
  }

  /** Connects on a node, and catches up. */
  async connect(api: Api): Promise<void> {
    this.disconnect();
    this.person = this.person.on(api);
    const socket = await this.person.connect('/messages');
    this.socket = socket;
    socket.socket.onAny((event: string, payload: Json) => this.then(() => this.take(event, payload)));
    this.then(() => this.catchUp());
    await this.settled();
  }

  /** Waits until the server has closed its connection. */
  async closed(): Promise<void> {
    await this.socket?.closed(60_000);
  }

  disconnect(): void {
    this.socket?.socket.disconnect();
    this.socket = undefined;
  }

  /** Waits for what was begun; rejects where that failed. */
  async settled(): Promise<void> {
    await this.work;
  }

  private then(work: () => Promise<void> | void): void {
    this.work = this.work.then(work);
  }

  private async take(event: string, payload: Json): Promise<void> {
    const { conversationId } = payload;
    const messages = this.conversations.get(conversationId as string);
    if (event === 'message:new') messages?.set(payload.id as string, kept(payload));
    else if (event === 'message:updated') {
      // One that is not here was deleted for oneself, and stays so.
      if (messages?.has(payload.id as string) === true) messages.set(payload.id as string, kept(payload));
    } else if (event === 'message:deleted') this.remove(payload);
    else if (event === 'conversation:updated') {
      if (payload.removed === true) this.conversations.delete(conversationId as string);
      else if (!messages) await this.load(conversationId as string);
    } else if (event === 'resync') await this.catchUp();
  }

  private remove({ conversationId, messageId, forEveryone }: Json): void {
    const messages = this.conversations.get(conversationId as string);
    const message = messages?.get(messageId as string);
    if (!message) return;
    if (forEveryone === true)
      messages?.set(messageId as string, { ...message, body: '', reactions: [], deleted: true });
    else messages?.delete(messageId as string);
  }

  private async catchUp(): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const since: string = this.position === undefined ? '' : `?since=${this.position}`;
      const { body } = await this.person.get(`/sync${since}`);
      for (const id of body.removed) this.conversations.delete(id as string);
      for (const { id } of body.conversations) if (!this.conversations.has(id as string)) await this.load(id as string);
      for (const message of body.messages) {
        this.conversations.get(message.conversationId as string)?.set(message.id as string, kept(message));
      }
      for (const gone of body.gone) this.remove({ ...gone, forEveryone: false });
      ({ position: this.position, hasMore } = body);
    }
  }

  /** All of a conversation that is new here; one that is gone again meanwhile is said to be. */
  private async load(conversationId: string): Promise<void> {
    const messages = new Map<string, Json>();
    this.conversations.set(conversationId, messages);
    const found = await read(this.person, conversationId, '?after=0&limit=100').catch(() => []);
    for (const message of found) messages.set(message.id as string, kept(message));
  }
}
