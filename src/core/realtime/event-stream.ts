import { type Response } from 'express';
import { type Authenticated } from '../security/authenticator.js';

/** Something that is said on a stream. */
export interface Message {
  event: string;
  payload: unknown;
  /** Where its user's changes stand with it, if they do: the stream can be resumed from there. */
  position?: number | undefined;
  /** From when on to ask for what has no positions; without a position it shows how something stands. */
  since?: Date | undefined;
}

/** What is said first: what came while the client was away, and where its user's changes stand after that. */
export interface Missed {
  messages: readonly Message[];
  position: number;
  since?: Date | undefined;
}

/** What may wait in memory for one client from one look to the next; a burst may be more for a moment. */
const MOST_BUFFERED_BYTES = 1024 * 1024;
const MOST_AT_ALL_BYTES = 8 * MOST_BUFFERED_BYTES;
/** Clients that lose a node come back within as long as the longer one, spread out. */
const RETRY_MS = { least: 1_000, spread: 4_000 };

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Compression, here or on the way, would hold events back.
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};

/** One client that reads events over HTTP, as the HTML standard has them (`text/event-stream`). */
export class EventStream {
  /** What is said while it is found out what was missed; from then on nothing is held. */
  private held: Message[] | undefined = [];
  private covered = 0;
  /** What the id of the next message is made from. */
  private last: { position: number; since?: Date | undefined } = { position: 0 };
  private ended = false;
  expiresAt: Date | undefined;

  constructor(
    readonly actor: Authenticated['actor'],
    readonly token: string,
    private readonly response: Response,
  ) {}

  get isOpen(): boolean {
    return !this.ended && !this.response.destroyed;
  }

  /** Begins with what was missed; what was held of it is not said twice. */
  begin({ messages, position, since }: Missed): void {
    this.response.status(200).set(HEADERS).flushHeaders();
    this.response.write(`retry: ${Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)}\n`);
    // Without data it is no event, but the client takes note of the position.
    if (messages.length === 0) this.response.write(`id: ${idOf({ position, since })}\n\n`);
    for (const message of messages) this.write(message);
    this.last = { position, since };
    this.covered = position;
    const held = this.held ?? [];
    this.held = undefined;
    for (const message of held) this.say(message);
  }

  say(message: Message): void {
    if (!this.isOpen) return;
    if (this.held) {
      this.held.push(message);
      return;
    }
    // It was among what was missed.
    if (message.position !== undefined && message.position <= this.covered) return;
    this.write(message);
    if (this.response.writableLength > MOST_AT_ALL_BYTES) this.cut();
  }

  /**
   * Whether something was shown, while it was found out what was missed, as it stood then: that may be older than what
   * was found out, or newer.
   */
  get isUncertain(): boolean {
    return (this.held ?? []).some(isState);
  }

  /** Forgets what was held of what will be found out once more. */
  startAnew(): void {
    this.held = this.held?.filter((message) => message.position === undefined && !isState(message));
  }

  /** Whether its client lets more pile up than it may. */
  get isSlow(): boolean {
    return this.isOpen && this.response.writableLength > MOST_BUFFERED_BYTES;
  }

  /** Keeps the connection from being taken for dead on the way. */
  beat(): void {
    if (this.isOpen && !this.held) this.response.write(': still here\n\n');
  }

  /** Ends in order, with a last word. */
  end(event?: string): void {
    if (this.isOpen && !this.held) {
      if (event !== undefined) this.write({ event, payload: {} });
      this.response.end();
    }
    this.ended = true;
  }

  /** Ends at once: what waits to be read is dropped. */
  cut(): void {
    this.ended = true;
    this.response.destroy();
  }

  /** JSON has no line breaks, so that a message is always one line of data. */
  private write({ event, payload, position, since }: Message): void {
    const hasId = position !== undefined || since !== undefined;
    if (hasId) this.last = { position: position ?? this.last.position, since: since ?? this.last.since };
    const id = hasId ? `id: ${idOf(this.last)}\n` : '';
    this.response.write(`event: ${event}\n${id}data: ${JSON.stringify(payload)}\n\n`);
  }
}

function isState({ position, since }: Message): boolean {
  return position === undefined && since !== undefined;
}

function idOf({ position, since }: { position: number; since?: Date | undefined }): string {
  return since ? `${position}-${since.getTime()}` : String(position);
}
