import pLimit, { type LimitFunction } from 'p-limit';
import { type Room } from './channel-sender.js';
import { type CircuitBreaker } from './circuit-breaker.js';
import { type DeviceResult } from './device-results.js';
import { handOver } from './provider.js';
import { type Push, type PushTransport } from './push-transport.js';
import { type Pace } from './token-bucket.js';

export interface PushRouteOptions {
  transport: PushTransport;
  pace: Pace;
  name: string;
  /** A new breaker for what has this name. */
  breakerFor: (name: string) => CircuitBreaker;
}

/** The way to push services, each with a breaker of its own. */
export class PushRoute {
  private readonly limit: LimitFunction;
  private readonly breakers = new Map<string, CircuitBreaker>();

  constructor(private readonly options: PushRouteOptions) {
    this.limit = pLimit(options.transport.atOnce);
  }

  room(): Room {
    const { name, transport } = this.options;
    // Of several services some may be well, and which one a notification needs is found out later.
    if (transport.serviceOf) return { most: Infinity, againMs: 0 };
    const { room, waitMs } = this.breaker(name);
    return { most: room, againMs: waitMs };
  }

  /** Says how each push was received, as the answers come. */
  async send(pushes: Push[], answered: (push: Push, result: DeviceResult) => void): Promise<void> {
    const { transport, pace, name } = this.options;
    const made = await Promise.allSettled(
      transport.divide(pushes).map((call) =>
        this.limit(async () => {
          const [first] = call;
          if (!first) return;
          const breaker = this.breaker(transport.serviceOf ? `${name} ${transport.serviceOf(first)}` : name);
          await handOver({ name, breaker, pace }, call, {
            send: (some) => transport.send(some),
            verdictOf: (result) => (result.kind === 'retry' && result.isDown === true ? result : undefined),
            answered,
            passedOver: (push, afterMs) => answered(push, { kind: 'untried', afterMs }),
            givenBack: (push) => answered(push, { kind: 'untried', afterMs: 0 }),
          });
        }),
      ),
    );
    // The other calls are finished first: how their pushes were received has been told.
    for (const each of made) if (each.status === 'rejected') throw each.reason;
  }

  hurry(): void {
    this.options.pace.hurry();
  }

  close(): Promise<void> {
    return this.options.transport.close();
  }

  private breaker(name: string): CircuitBreaker {
    const breaker = this.breakers.get(name) ?? this.options.breakerFor(name);
    this.breakers.set(name, breaker);
    return breaker;
  }
}
