import { Manager, type Socket } from 'socket.io-client';
import { setTimeout as pause } from 'node:timers/promises';
import { type Random } from '../random.js';
import { type Client, PATIENCE_MS } from './client.js';
import { type HeardMessage, type Held } from './held.js';
import { type Ledger, type PersonLedger } from './ledger.js';
import { sentAt } from './mark.js';

export interface DeviceOptions {
  client: Client;
  random: Random;
  held: Held;
  ledger: Ledger;
  own: PersonLedger;
  /** All conversations of this person. */
  conversationIds: readonly string[];
  /** Told of what others have said. */
  onHeard: (message: HeardMessage) => void;
}

/** What the server says to an event that it was sent. */
export interface Acknowledgement {
  ok: boolean;
  message?: HeardMessage;
  error?: { status: number; code: string };
}

interface Missed {
  position: string;
  hasMore: boolean;
  messages: HeardMessage[];
}

const NAMESPACES = ['/messages', '/notifications', '/presence'] as const;
const CONNECT_MS = 8_000;
/** After so long without an acknowledgement an event is taken for lost. */
const ACKNOWLEDGE_MS = 8_000;
const RECONNECT_MS = { least: 100, most: 1_200 };
const PAGE = 100;

/**
 * A phone: one connection with the namespaces that an app needs. While it is on it comes back by itself, on the next
 * node, and asks for what it has missed.
 */
export class Device {
  private manager: Manager | undefined;
  private sockets = new Map<string, Socket>();
  private isOn = false;
  private position: string | undefined;
  private catching: Promise<void> = Promise.resolve();
  private coming: Promise<void> | undefined;
  private refusal = 'none, it just took too long';

  constructor(private readonly options: DeviceOptions) {}

  get isConnected(): boolean {
    return this.sockets.size === NAMESPACES.length && [...this.sockets.values()].every(({ connected }) => connected);
  }

  /** Resolves once it is connected and has caught up, was switched off again, or has tried for as long as anyone would. */
  async switchOn(): Promise<void> {
    this.isOn = true;
    await this.come();
    await this.catching;
  }

  switchOff(): void {
    this.isOn = false;
    this.close();
  }

  /** Sends an event and waits for its acknowledgement; answers nothing where none came. */
  async ask(
    namespace: (typeof NAMESPACES)[number],
    event: string,
    payload: object,
  ): Promise<Acknowledgement | undefined> {
    const socket = this.sockets.get(namespace);
    if (!socket?.connected) return undefined;
    try {
      return (await socket.timeout(ACKNOWLEDGE_MS).emitWithAck(event, payload)) as Acknowledgement;
    } catch {
      return undefined;
    }
  }

  private come(): Promise<void> {
    this.coming ??= this.keepTrying().finally(() => (this.coming = undefined));
    return this.coming;
  }

  private async keepTrying(): Promise<void> {
    const { client, random, own } = this.options;
    const end = performance.now() + PATIENCE_MS;
    while (this.isOn && !this.isConnected) {
      if (await this.connect()) {
        own.connections += 1;
        this.catchUp();
        return;
      }
      if (performance.now() > end) {
        own.oddities.push(`no connection in ${PATIENCE_MS / 1_000} s; the last refusal: ${this.refusal}`);
        return;
      }
      this.close();
      client.moveOn();
      await pause(random.between(RECONNECT_MS.least, RECONNECT_MS.most));
    }
  }

  private async connect(): Promise<boolean> {
    const { client, held } = this.options;
    held.reconnected();
    const manager = new Manager(client.url, { transports: ['websocket'], reconnection: false, timeout: CONNECT_MS });
    this.manager = manager;
    this.sockets = new Map(
      NAMESPACES.map((name) => [name, manager.socket(name, { auth: { token: client.accessToken } })]),
    );
    this.listen();
    const opened = [...this.sockets.values()].map(
      (socket) =>
        new Promise<boolean>((resolve) => {
          socket.once('connect', () => resolve(true));
          socket.once('connect_error', (error: Error & { data?: { status?: number } }) => {
            this.refusal = error.message;
            void (error.data?.status === 401 ? client.renew() : Promise.resolve()).then(() => resolve(false));
          });
          socket.once('disconnect', () => resolve(false));
        }),
    );
    const inTime = pause(CONNECT_MS, false, { ref: false });
    const all = Promise.all(opened).then((each) => each.every(Boolean));
    return Promise.race([all, inTime]);
  }

  private listen(): void {
    const { client, own, held, ledger, onHeard } = this.options;
    const messages = this.sockets.get('/messages');
    const gone = (): void => {
      if (!this.isOn || this.coming || !this.sockets.has('/messages')) return;
      this.close();
      client.moveOn();
      void pause(this.options.random.between(RECONNECT_MS.least, RECONNECT_MS.most)).then(() => this.come());
    };
    messages?.on('message:new', (message: HeardMessage) => {
      held.hear(message);
      if (message.senderId === own.id) return;
      const sent = sentAt(message.clientId);
      if (sent !== undefined) ledger.shown.push(Date.now() - sent);
      onHeard(message);
    });
    messages?.on('resync', () => this.catchUp());
    this.sockets.get('/notifications')?.on('notification:new', ({ id }: { id: string }) => held.notified(id));
    for (const socket of this.sockets.values()) socket.on('disconnect', gone);
  }

  private close(): void {
    const { manager, sockets } = this;
    this.manager = undefined;
    this.sockets = new Map();
    for (const socket of sockets.values()) socket.removeAllListeners().disconnect();
    manager?.engine.close();
  }

  /** One after the other: a position is where the last one has ended. */
  private catchUp(): void {
    this.catching = this.catching.then(() => (this.position === undefined ? this.begin() : this.missed()));
  }

  /** Where nothing is held yet everything is read, from a position that was taken before. */
  private async begin(): Promise<void> {
    const { client, conversationIds, held } = this.options;
    const begun = await client.call<Missed>({ action: 'sync', method: 'GET', path: '/sync' });
    if (begun.fate !== 'done') return;
    for (const id of conversationIds) {
      for (let after = 0, hasMore = true; hasMore;) {
        const path = `/conversations/${id}/messages?after=${after}&limit=${PAGE}`;
        const read = await client.call<{ data: HeardMessage[]; hasMore: boolean }>({
          action: 'read messages',
          method: 'GET',
          path,
        });
        if (read.fate !== 'done') return;
        for (const message of read.body.data) held.put(message);
        after = read.body.data.at(-1)?.seq ?? after;
        ({ hasMore } = read.body);
      }
    }
    this.position = begun.body.position;
  }

  private async missed(): Promise<void> {
    const { client, held, own } = this.options;
    own.catchUps += 1;
    for (let hasMore = true; hasMore;) {
      const path = `/sync?since=${this.position ?? ''}`;
      const missed = await client.call<Missed>({ action: 'sync', method: 'GET', path });
      if (missed.fate !== 'done') return;
      for (const message of missed.body.messages) held.put(message);
      ({ position: this.position, hasMore } = missed.body);
    }
  }
}
