import { SpanKind } from '@opentelemetry/api';
import { type Cause, follow } from '../../../core/observability/tracing.js';
import { type CircuitBreaker } from './circuit-breaker.js';
import { type Pace } from './token-bucket.js';

/** What stands between a channel and one of its providers. */
export interface Provider {
  name: string;
  breaker: CircuitBreaker;
  pace: Pace;
}

/** What the way a provider dealt with one message shows of the provider. */
export interface Verdict {
  /** Why it is out of order, which is not the message's fault. */
  error: string;
  /** It asked to be left alone by everyone for so long. */
  pauseMs?: number;
}

export interface Call<Item, Result> {
  /** Hands items over in one call: a result for each, in the same order. */
  send: (items: Item[]) => Promise<Result[]>;
  /** Why the provider is out of order, if the result shows that. */
  verdictOf: (result: Result) => Verdict | undefined;
  answered: (item: Item, result: Result) => void;
  /** It was not sent, since the provider is out of order for so long. */
  passedOver: (item: Item, afterMs: number) => void;
  /** It was not sent, since this process is to stop. */
  givenBack: (item: Item) => void;
}

/** Hands items to a provider in as many calls as its pace allows, and none while it is out of order. */
export async function handOver<Item extends Cause, Result>(
  { name, breaker, pace }: Provider,
  items: Item[],
  { send, verdictOf, answered, passedOver, givenBack }: Call<Item, Result>,
): Promise<void> {
  for (let rest = items; rest.length > 0;) {
    const granted = breaker.room === 0 ? undefined : await pace.take(rest.length);
    if (granted === 0) {
      for (const item of rest) givenBack(item);
      return;
    }
    // It may have gone out of order while this waited for its turn.
    const permit = granted === undefined ? undefined : breaker.admit();
    if (!permit) {
      for (const item of rest) passedOver(item, breaker.waitMs);
      return;
    }

    const now = rest.slice(0, granted);
    const call = {
      name: `call ${name}`,
      kind: SpanKind.CLIENT,
      attributes: { 'atrium.provider': name, 'messaging.batch.message_count': now.length },
    };
    const results = await follow(now, call, async (some, traced) => {
      const received = await send(some);
      // One message that got an answer of its own shows that somebody is there.
      const verdicts = received.map(verdictOf);
      const [first] = verdicts;
      if (first && verdicts.every(Boolean)) {
        permit.failed(first.error, first.pauseMs);
        traced?.fail();
      } else permit.answered();
      return received;
    });
    for (const [index, item] of now.entries()) {
      const result = results[index];
      if (result !== undefined) answered(item, result);
    }
    rest = rest.slice(granted);
  }
}
