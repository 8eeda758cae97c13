import { setTimeout as pause } from 'node:timers/promises';
import { type Random } from '../random.js';
import { type Client } from './client.js';
import { type Device } from './device.js';
import { type HeardMessage, type Held } from './held.js';
import { type PersonLedger } from './ledger.js';
import { newMark } from './mark.js';

export interface TalkOptions {
  client: Client;
  device: Device;
  held: Held;
  own: PersonLedger;
  random: Random;
  conversationIds: readonly string[];
}

/** How long one types at least and at most, in milliseconds. */
const TYPING_MS = { least: 100, most: 600 };
/** What comes within such a time is acknowledged together. */
const RECEIPT_MS = 300;

/** One person's part in conversations: what is on the screen, typing, sending, and receipts for what was heard. */
export class Talk {
  private onScreen: string | undefined;
  /** The receipts that are due, by conversation. */
  private readonly receipts = new Map<string, Promise<void>>();

  constructor(private readonly options: TalkOptions) {}

  /** Opens a conversation, types, and says something. */
  async say(words: string): Promise<void> {
    const { random, device, conversationIds } = this.options;
    const conversationId =
      this.onScreen !== undefined && random.isSo(0.6) ? this.onScreen : random.pick(conversationIds);
    if (conversationId !== this.onScreen) await this.open(conversationId);
    await device.ask('/messages', 'typing:start', { conversationId });
    await pause(random.between(TYPING_MS.least, TYPING_MS.most));
    await this.send(conversationId, words);
  }

  /** Somebody else has said something: the device has it, and its owner reads it where it is on the screen. */
  heard({ conversationId }: HeardMessage): void {
    if (this.receipts.has(conversationId)) return;
    const due = pause(RECEIPT_MS)
      .then(() => this.receipts.delete(conversationId))
      .then(() => this.acknowledge(conversationId));
    this.receipts.set(conversationId, due);
  }

  leave(): void {
    this.onScreen = undefined;
  }

  async settle(): Promise<void> {
    await Promise.all(this.receipts.values());
  }

  private async open(conversationId: string): Promise<void> {
    const { device } = this.options;
    if (this.onScreen !== undefined) {
      await device.ask('/messages', 'conversation:leave', { conversationId: this.onScreen });
    }
    await device.ask('/messages', 'conversation:join', { conversationId });
    this.onScreen = conversationId;
    await this.acknowledge(conversationId);
  }

  /** Over the socket, as long as there is one; what was not acknowledged goes again with the same `clientId`, by REST. */
  private async send(conversationId: string, words: string): Promise<void> {
    const { client, device, own } = this.options;
    const clientId = newMark(own.id);
    const message = { clientId, body: words };
    let wasTried = false;
    const outcome = await client.persist<HeardMessage>('send message', async () => {
      if (wasTried || !device.isConnected) {
        const path = `/conversations/${conversationId}/messages`;
        return client.attempt<HeardMessage>({ method: 'POST', path, body: message });
      }
      wasTried = true;
      const answer = await device.ask('/messages', 'message:send', { conversationId, ...message });
      if (!answer) return { status: 0, code: 'no acknowledgement' };
      const { status = 0, code = '' } = answer.error ?? {};
      return answer.message ? { status: 201, code: '', body: answer.message } : { status, code };
    });
    const { fate } = outcome;
    const written = outcome.fate === 'done' && { id: outcome.body.id, seq: outcome.body.seq };
    own.messages.push({ conversationId, mark: clientId, fate, ...written });
  }

  private async acknowledge(conversationId: string): Promise<void> {
    const { device, held, own } = this.options;
    const seq = held.last(conversationId);
    if (seq === 0) return;
    const isRead = conversationId === this.onScreen;
    const event = isRead ? 'message:read' : 'message:delivered';
    const answer = await device.ask('/messages', event, { conversationId, seq });
    if (isRead && answer?.ok === true) own.read[conversationId] = Math.max(seq, own.read[conversationId] ?? 0);
  }
}
