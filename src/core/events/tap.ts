import { type ResumeToken } from 'mongodb';
import { type OpenStream } from './change-stream.js';
import { EventQueue, type StreamedEvent } from './event-queue.js';

export interface TapOptions {
  types: ReadonlySet<string>;
  /** A reader that has let more pile up must read from a stream of its own, which waits for it. */
  mostWaiting: number;
  /** The position of the feed: everything before it was handed on. */
  position: () => ResumeToken;
  onClose: (tap: Tap) => void;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * What the feed of this process hears, for a reader who must not miss any of it. Each change stream costs the server
 * something for everything that anyone writes, so those of one process share one.
 */
export class Tap implements OpenStream {
  private readonly queue = new EventQueue();
  /** What its reader has from another stream; known once the two have met. */
  private handled: ReadonlySet<string> | undefined;
  private isOverrun = false;

  constructor(private readonly options: TapOptions) {}

  get resumeToken(): ResumeToken {
    return this.queue.length === 0 ? this.options.position() : undefined;
  }

  /** Whether its reader was too slow, and something is missing from here on. */
  get overran(): boolean {
    return this.isOverrun;
  }

  /** Takes what the feed has heard. */
  push(events: readonly StreamedEvent[]): void {
    const { types, mostWaiting } = this.options;
    // Until the two have met every kind of event is good for it.
    const wanted = this.handled
      ? events.filter(({ event }) => types.has(event.type) && !this.isHandled(event._id.toHexString()))
      : events;
    if (this.queue.length + wanted.length > mostWaiting) {
      this.isOverrun = true;
      this.queue.clear();
      this.end();
    } else if (wanted.length > 0) this.queue.push(...wanted);
  }

  /**
   * Leaves out what its reader has read from another stream, which brings the same in the same order.
   * @param handled the ids of the last events of that stream
   * @returns whether the two have met: whatever comes now was not read there
   */
  meets(handled: ReadonlySet<string>): boolean {
    if (!this.queue.dropThrough(({ _id }) => handled.has(_id.toHexString()))) return false;
    // The other one may have been ahead.
    this.handled = handled;
    return true;
  }

  batches(size: number, idleMs: number): AsyncGenerator<StreamedEvent[]> {
    return this.queue.batches(size, idleMs);
  }

  /** The feed brings nothing more: it has stopped, or missed something. */
  end(): void {
    this.queue.end();
    this.options.onClose(this);
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  private isHandled(id: string): boolean {
    if (this.handled?.has(id) === true) return true;
    this.handled = NONE;
    return false;
  }
}
