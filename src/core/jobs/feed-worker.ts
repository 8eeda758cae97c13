import { type DomainEvent, type EventType } from '../events/event.js';
import { type FeedSubscriber } from '../events/feed.js';
import { type Log } from '../observability/log.js';
import { WorkLoop } from './work-loop.js';

export interface FeedWorkerOptions {
  name: string;
  /** How many pieces of work run at once in this process. */
  concurrency?: number;
  /** The kinds of event after which something may be due at once. */
  wokenBy: readonly EventType[];
  log: Log;
}

/** A worker that looks for what is due as soon as the feed brings one of its kinds of event, and whenever it is woken. */
export abstract class FeedWorker implements FeedSubscriber {
  private readonly loop: WorkLoop;
  private readonly types: ReadonlySet<string>;

  constructor({ name, concurrency = 1, wokenBy, log }: FeedWorkerOptions) {
    this.loop = new WorkLoop({ name, concurrency, work: () => this.work(), log });
    this.types = new Set(wokenBy.map(({ type }) => type));
  }

  onEvents(events: DomainEvent[]): void {
    if (events.some(({ type }) => this.types.has(type))) this.wake();
  }

  onGap(): void {
    this.wake();
  }

  /** Does whatever is due; returns at once. */
  wake(): void {
    this.loop.wake();
  }

  /** Takes nothing more and waits for what is under way. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Claims and does one batch; answers with how much it found. */
  protected abstract work(): Promise<number>;
}
