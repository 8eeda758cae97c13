import { type ResumeToken } from 'mongodb';
import { type DomainEvent } from './event.js';

/** An event as it came down the stream, with the position just after it. */
export interface StreamedEvent {
  event: DomainEvent;
  token: ResumeToken;
}

/** What has come and was not read yet. */
export class EventQueue {
  /** Resolves when nothing more will come. */
  readonly ended: Promise<void>;
  private readonly waiting: StreamedEvent[] = [];
  private hasEnded = false;
  private reason: Error | undefined;
  private wakeReader = (): void => undefined;
  private sayEnded = (): void => undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.sayEnded = resolve));
  }

  get length(): number {
    return this.waiting.length;
  }

  /** Why nothing more will come, where that is no orderly end. */
  get failure(): Error | undefined {
    return this.reason;
  }

  push(...events: StreamedEvent[]): void {
    this.waiting.push(...events);
    this.wakeReader();
  }

  /** Nothing more will come; what waits can still be read. */
  end(failure?: Error): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.reason = failure;
    this.sayEnded();
    this.wakeReader();
  }

  /** Forgets all that waits, up to the last one that fits; answers whether there was one. */
  dropThrough(fits: (event: DomainEvent) => boolean): boolean {
    const last = this.waiting.findLastIndex(({ event }) => fits(event));
    this.waiting.splice(0, last + 1);
    return last >= 0;
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /**
   * Whatever waits, at most `size` at a time; an empty batch after `idleMs` without an event.
   * @param onTaken there is room again
   * @throws what the queue has ended with
   */
  async *batches(size: number, idleMs: number, onTaken = (): void => undefined): AsyncGenerator<StreamedEvent[]> {
    for (;;) {
      if (this.waiting.length > 0) {
        const batch = this.waiting.splice(0, size);
        onTaken();
        yield batch;
      } else if (this.hasEnded) {
        if (this.reason === undefined) return;
        throw this.reason;
      } else if (await this.isIdleFor(idleMs)) yield [];
    }
  }

  private async isIdleFor(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isIdle = await new Promise<boolean>((resolve) => {
      this.wakeReader = () => resolve(false);
      timer = setTimeout(() => resolve(true), milliseconds);
    });
    clearTimeout(timer);
    return isIdle;
  }
}
