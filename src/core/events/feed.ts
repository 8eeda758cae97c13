import { type ResumeToken } from 'mongodb';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type Log } from '../observability/log.js';
import { type EventStream, HistoryLost, open, type OpenStream, streamOf } from './change-stream.js';
import { type DomainEvent } from './event.js';
import { type StreamedEvent } from './event-queue.js';
import { heartbeat } from './heartbeat.js';
import { type Outbox } from './outbox.js';
import { type EventSource } from './source.js';
import { Tap } from './tap.js';

/** What a part of a process wants to hear of the feed. Handlers must be quick and must not throw. */
export interface FeedSubscriber {
  onEvents(events: DomainEvent[]): void;
  /** Some events were missed and will not come: drop what was built on having heard everything. */
  onGap?(): void;
}

export interface FeedOptions {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  log: Log;
  /** What is an event beside the rows of `events`. */
  sources?: readonly EventSource[];
  /** A heartbeat is written after this silence, in milliseconds. */
  heartbeatMs?: number;
  /** So many events wait for each of those who share its stream, at most. */
  mostWaiting?: number;
}

const MOST_WAITING = 10_000;

/**
 * Every committed event, live, on this process: the source of the hub, of cache invalidation and of the workers'
 * wake-up calls. It keeps no position across restarts; whoever must not miss an event is a `Consumer`, which shares the
 * feed's stream as long as it keeps up.
 */
export class Feed {
  private readonly subscribers: FeedSubscriber[] = [];
  private readonly taps = new Set<Tap>();
  private readonly heartbeatMs: number;
  private stream: EventStream | undefined;
  private token: ResumeToken;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private lastSeen = Date.now();
  private hasGap = false;

  constructor(private readonly options: FeedOptions) {
    this.heartbeatMs = options.heartbeatMs ?? 5_000;
  }

  subscribe(subscriber: FeedSubscriber): void {
    this.subscribers.push(subscriber);
  }

  /** All events of these kinds from the next one on, until the feed stops or misses something. */
  tap(types: ReadonlySet<string>): Tap {
    const { mostWaiting = MOST_WAITING } = this.options;
    const onClose = (closed: Tap): void => void this.taps.delete(closed);
    const tap = new Tap({ types, mostWaiting, position: () => this.token, onClose });
    this.taps.add(tap);
    if (this.stopped) tap.end();
    return tap;
  }

  /** Milliseconds since the last event, heartbeats included. */
  get silenceMs(): number {
    return Date.now() - this.lastSeen;
  }

  /** Resolves once the stream is open: what is committed afterwards is heard. */
  async start(): Promise<void> {
    this.running = this.run(await this.open());
    this.timer = setInterval(() => void this.beat(), this.heartbeatMs);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.stream?.close();
    await this.running;
    this.endTaps();
  }

  private async open(): Promise<OpenStream> {
    const isResumed = this.token !== undefined;
    const { database, sources = [] } = this.options;
    const stream = streamOf(database, { sources, ...(isResumed && { resumeAfter: this.token }) });
    this.stream = stream;
    if (this.stopped) await stream.close();
    const opened = await open(stream, isResumed);
    // Only now: what a subscriber reads anew before the stream is open could be out of date again unnoticed.
    if (this.hasGap) this.announceGap();
    // A stream that breaks before its first event must not begin anew from a later moment.
    this.token ??= opened.resumeToken;
    return opened;
  }

  private async run(first: OpenStream): Promise<void> {
    let opened: OpenStream | undefined = first;
    while (!this.stopped) {
      try {
        opened ??= await this.open();
        for await (const batch of opened.batches(500, this.heartbeatMs)) {
          if (batch.length > 0) this.deliver(batch);
        }
      } catch (error) {
        if (this.closing()) return;
        await this.recover(error);
      }
      opened = undefined;
    }
  }

  private async recover(error: unknown): Promise<void> {
    if (error instanceof HistoryLost) {
      this.options.log.warn({ err: error.cause }, 'feed: the position is lost; live updates go on from now');
      this.token = undefined;
      this.hasGap = true;
      this.endTaps();
    } else {
      this.options.log.warn({ err: error }, 'feed: the stream broke; reopening where it was');
    }
    await pause(250);
  }

  private deliver(batch: StreamedEvent[]): void {
    this.token = batch.at(-1)?.token;
    this.lastSeen = Date.now();
    for (const tap of this.taps) tap.push(batch);
    const events = batch.map(({ event }) => event);
    for (const subscriber of this.subscribers) {
      try {
        subscriber.onEvents(events);
      } catch (error) {
        this.options.log.error({ err: error }, 'feed: a subscriber failed');
      }
    }
  }

  private endTaps(): void {
    for (const tap of [...this.taps]) tap.end();
  }

  private announceGap(): void {
    this.hasGap = false;
    for (const subscriber of this.subscribers) subscriber.onGap?.();
  }

  /** Any node that hears nothing for a while writes a heartbeat; the others hear it and need not. */
  private async beat(): Promise<void> {
    if (this.silenceMs < this.heartbeatMs * (0.8 + Math.random() * 0.4)) return;
    try {
      await this.options.outbox.announce(heartbeat, { entity: { kind: 'system', id: 'feed' }, data: {} });
    } catch (error) {
      if (!this.stopped) this.options.log.warn({ err: error }, 'feed: no heartbeat could be written');
    }
  }

  private closing(): boolean {
    return this.stopped;
  }
}
