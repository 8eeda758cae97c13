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
  /** A new breaker for a push service. */
  breakerFor: (service: string) => CircuitBreaker;
  /** Set where there is but one push service: nothing is taken up while that is out of order. */
  service?: string;
}

/** The way to push services, each with a breaker of its own. */
export class PushRoute {
  private readonly limit: LimitFunction;
  private readonly breakers = new Map<string, CircuitBreaker>();

  constructor(private readonly options: PushRouteOptions) {
    this.limit = pLimit(options.transport.atOnce);
  }

  room(): Room {
    const { service } = this.options;
    if (service === undefined) return { most: Infinity, againMs: 0 };
    const { room, waitMs } = this.breakerOf(service);
    return { most: room, againMs: waitMs };
  }

  /** Says how each push was received, as the answers come. */
  async send(pushes: Push[], answered: (push: Push, result: DeviceResult) => void): Promise<void> {
    const { transport, pace } = this.options;
    const made = await Promise.allSettled(
      transport.divide(pushes).map((call) =>
        this.limit(async () => {
          const [first] = call;
          if (!first) return;
          const breaker = this.breakerOf(transport.serviceOf(first));
          await handOver({ breaker, pace }, call, {
            send: (some) => transport.send(some),
            verdictOf: (result) => (result.kind === 'retry' && result.isDown === true ? result : undefined),
            answered,
            passedOver: (push, afterMs) => answered(push, { kind: 'deferred', afterMs }),
            givenBack: (push) => answered(push, { kind: 'deferred', afterMs: 0 }),
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

  private breakerOf(service: string): CircuitBreaker {
    const known = this.breakers.get(service) ?? this.options.breakerFor(service);
    this.breakers.set(service, known);
    return known;
  }
}
