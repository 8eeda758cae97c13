import pLimit, { type LimitFunction } from 'p-limit';
import { type Room } from './channel-sender.js';
import { type Email } from './email-content.js';
import { type EmailResult, type EmailTransport } from './email-transport.js';
import { type Outcome, type Settle } from './outcome.js';
import { handOver, type Provider } from './provider.js';

export interface EmailProvider extends Provider {
  transport: EmailTransport;
}

/** A mail on its way from provider to provider, and what came of it so far. */
interface Travelling {
  email: Email;
  before?: Outcome;
}

type Answered = (mail: Travelling, result: EmailResult) => void;

/**
 * The mail providers, the preferred one first. What one has certainly not taken is handed to the next at once; where
 * that is not certain, the mail is tried again later under the same Message-ID, so that two copies are one mail to a
 * reader. A provider that is out of order is passed over until it is back.
 */
export class EmailRoute {
  private readonly stations: { provider: EmailProvider; limit: LimitFunction }[];

  constructor(private readonly providers: readonly EmailProvider[]) {
    // Calls of all batches together, since so many connections there are.
    this.stations = providers.map((provider) => ({ provider, limit: pLimit(provider.transport.atOnce) }));
  }

  get batchSize(): number {
    return Math.max(...this.providers.map(({ transport }) => transport.batchSize));
  }

  get bulkSize(): number {
    return Math.max(...this.providers.map(({ transport }) => transport.bulkSize ?? transport.batchSize));
  }

  room(): Room {
    return {
      most: Math.max(...this.providers.map(({ breaker }) => breaker.room)),
      againMs: Math.min(...this.providers.map(({ breaker }) => breaker.waitMs)),
    };
  }

  /** Says how each mail ended, as it comes. */
  async send(emails: Email[], settle: Settle): Promise<void> {
    let travelling: Travelling[] = emails.map((email) => ({ email }));
    for (const [index, station] of this.stations.entries()) {
      const isLast = index === this.stations.length - 1;
      const left: Travelling[] = [];
      await this.hand(station, travelling, ({ email, before }, { outcome, isUntaken = false }) => {
        const sofar = weigh(before, outcome);
        if (isUntaken && !isLast) left.push({ email, before: sofar });
        else settle(email.notificationId, sofar);
      });
      travelling = left;
    }
  }

  hurry(): void {
    for (const { pace } of this.providers) pace.hurry();
  }

  async close(): Promise<void> {
    await Promise.all(this.providers.map(({ transport }) => transport.close()));
  }

  private async hand(
    { provider, limit }: { provider: EmailProvider; limit: LimitFunction },
    mails: Travelling[],
    answered: Answered,
  ): Promise<void> {
    const { transport } = provider;
    const travellers = new Map(mails.map((mail) => [mail.email, mail]));
    const answer = (email: Email, result: EmailResult): void => answered(travellers.get(email) ?? { email }, result);
    const calls = transport.divide(mails.map(({ email }) => email));
    const made = await Promise.allSettled(
      calls.map((emails) =>
        limit(() =>
          handOver(provider, emails, {
            send: (some) => transport.send(some),
            verdictOf: ({ verdict }) => verdict,
            answered: answer,
            passedOver: (email, afterMs) => answer(email, { outcome: { kind: 'untried', afterMs }, isUntaken: true }),
            givenBack: (email) => answer(email, { outcome: { kind: 'untried', afterMs: 0 } }),
          }),
        ),
      ),
    );
    // The other calls are finished first: what became of their mails has been told.
    for (const each of made) if (each.status === 'rejected') throw each.reason;
  }
}

/** What counts of two providers' answers: the later one, unless it says only that nothing was tried there. */
function weigh(before: Outcome | undefined, now: Outcome): Outcome {
  if (now.kind !== 'untried' || !before) return now;
  if (before.kind === 'untried') return before.afterMs < now.afterMs ? before : now;
  // The first one's wish to be left alone binds only the first one.
  return before.kind === 'retry' ? { ...before, retryAfterMs: 0 } : before;
}
