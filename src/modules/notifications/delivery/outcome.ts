import { later } from '../../../core/clock.js';
import { retryDelay } from '../../../core/jobs/retry.js';
import { type Delivery } from '../delivery.model.js';
import { standing, toldOf } from '../feedback/feedback.js';

/** How an attempt to deliver ended. */
export type Outcome =
  | { kind: 'sent'; providerMessageId?: string; sentTo?: string[] }
  /** Worth another try; `sentTo` names devices that have it already. */
  | { kind: 'retry'; error: string; retryAfterMs?: number; sentTo?: string[]; detail?: string }
  /** No try will help: a bad address, a refused message. */
  | { kind: 'dead'; error: string; detail?: string }
  /** Its provider takes nothing just now, so that it was not tried: this is no attempt, and never the last one. */
  | { kind: 'untried'; afterMs: number; sentTo?: string[] }
  /** There is nothing to send to any more. */
  | { kind: 'skipped'; reason: string }
  /** It is to be sent later: not an attempt that counts. */
  | { kind: 'deferred'; until: Date; reason: string }
  /** It is out of date. */
  | { kind: 'cancelled'; reason: string };

/** Takes the outcome for one notification, as soon as it is known. */
export type Settle = (notificationId: string, outcome: Outcome) => void;

/** The state of a delivery after an attempt that ended so. Its provider may have told more by then than it answers. */
export function transition(delivery: Delivery, outcome: Outcome, now: Date): Delivery {
  return standing({ ...ended(delivery, outcome, now), ...toldOf(delivery) });
}

function ended(delivery: Delivery, outcome: Outcome, now: Date): Delivery {
  const { attempts } = delivery;
  switch (outcome.kind) {
    case 'sent':
      return {
        status: 'sent',
        attempts,
        sentAt: now,
        ...(outcome.providerMessageId !== undefined && { providerMessageId: outcome.providerMessageId }),
      };
    case 'dead':
      return { status: 'dead', attempts, error: outcome.error };
    case 'skipped':
    case 'cancelled':
      return { status: outcome.kind, attempts, reason: outcome.reason };
    case 'deferred':
      return { status: 'pending', attempts: attempts - 1, nextAttemptAt: outcome.until, reason: outcome.reason };
    case 'untried':
      return {
        // As it was before it was taken up.
        status: delivery.error == null ? 'pending' : 'failed',
        attempts: attempts - 1,
        nextAttemptAt: later(now, outcome.afterMs),
        ...(delivery.error != null && { error: delivery.error }),
        ...(delivery.reason != null && { reason: delivery.reason }),
        ...having(outcome.sentTo),
      };
    case 'retry': {
      const delay = retryDelay(attempts, outcome.retryAfterMs);
      const sentTo = having(outcome.sentTo);
      if (delay !== undefined) {
        return { status: 'failed', attempts, error: outcome.error, nextAttemptAt: later(now, delay), ...sentTo };
      }
      // Out of attempts: whoever has it on one device has been told.
      return 'sentTo' in sentTo
        ? { status: 'sent', attempts, sentAt: now, error: outcome.error }
        : { status: 'dead', attempts, error: outcome.error };
    }
  }
}

function having(sentTo: string[] | undefined): { sentTo?: string[] } {
  return sentTo && sentTo.length > 0 ? { sentTo } : {};
}
