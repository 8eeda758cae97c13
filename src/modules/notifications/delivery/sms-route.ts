import pLimit, { type LimitFunction } from 'p-limit';
import { type Room } from './channel-sender.js';
import { handOver, type Provider } from './provider.js';
import { type Sms } from './sms-content.js';
import { type SmsResult, type SmsTransport } from './sms-transport.js';

export interface SmsProvider extends Provider {
  transport: SmsTransport;
}

/** The way to the provider of SMS. */
export class SmsRoute {
  private readonly limit: LimitFunction;

  constructor(private readonly provider: SmsProvider) {
    this.limit = pLimit(provider.transport.atOnce);
  }

  room(): Room {
    const { room, waitMs } = this.provider.breaker;
    return { most: room, againMs: waitMs };
  }

  /** Says how each message ended, as it comes. */
  async send(messages: readonly Sms[], answered: (sms: Sms, result: SmsResult) => void): Promise<void> {
    const { transport } = this.provider;
    const untried = (afterMs: number): SmsResult => ({ outcome: { kind: 'untried', afterMs } });
    const made = await Promise.allSettled(
      messages.map((sms) =>
        this.limit(() =>
          handOver(this.provider, [sms], {
            send: (some) => Promise.all(some.map((one) => transport.send(one))),
            verdictOf: ({ verdict }) => verdict,
            answered,
            passedOver: (one, afterMs) => answered(one, untried(afterMs)),
            givenBack: (one) => answered(one, untried(0)),
          }),
        ),
      ),
    );
    // The other calls are finished first: what became of their messages has been told.
    for (const each of made) if (each.status === 'rejected') throw each.reason;
  }

  hurry(): void {
    this.provider.pace.hurry();
  }

  close(): Promise<void> {
    return this.provider.transport.close();
  }
}
