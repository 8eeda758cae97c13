import { type Delivery } from '../delivery.model.js';
import { type DeliveryStatus } from '../notification.types.js';

/** What a provider tells of a message after it has taken it. */
export interface Feedback {
  /** `taken` says only that it has it, which is news where its answer was lost. */
  kind: 'taken' | 'delivered' | 'opened' | 'bounced';
  at: Date;
  /** Why it bounced, as a code. */
  error?: string;
}

/** What has been handed over, or may have been though no answer came. */
const HANDED_OVER: ReadonlySet<DeliveryStatus> = new Set<DeliveryStatus>(['sent', 'delivered', 'failed']);

/**
 * A delivery with what is told of it; `undefined` where that changes nothing. The order in which things are told does
 * not matter: a bounce counts whatever else is told, and what was opened was delivered. What is put back to be sent
 * again, was never sent, or was given up for another reason, is left as it is.
 */
export function withFeedback(delivery: Delivery, feedback: readonly Feedback[]): Delivery | undefined {
  const { status, bouncedAt } = delivery;
  const isTellable = status === 'sending' || HANDED_OVER.has(status) || (status === 'dead' && bouncedAt != null);
  if (!isTellable) return undefined;
  const told = feedback.reduce(add, delivery);
  return told === delivery ? undefined : standing(told);
}

function add(delivery: Delivery, { kind, at, error = 'BOUNCED' }: Feedback): Delivery {
  const { sentAt, deliveredAt, openedAt, bouncedAt } = delivery;
  if (kind === 'taken') return sentAt == null ? { ...delivery, sentAt: at } : delivery;
  const isNews = (known: Date | null | undefined): boolean => known == null || at < known;
  if (kind === 'bounced') return isNews(bouncedAt) ? { ...delivery, bouncedAt: at, error } : delivery;
  const isOpened = kind === 'opened' && isNews(openedAt);
  if (!isOpened && !isNews(deliveredAt)) return delivery;
  return { ...delivery, ...(isNews(deliveredAt) && { deliveredAt: at }), ...(isOpened && { openedAt: at }) };
}

/**
 * The delivery with the status that follows from what has been told. While a worker is sending it, that is noted only:
 * the worker's own answer decides, and finds it there.
 */
export function standing(delivery: Delivery): Delivery {
  if (!HANDED_OVER.has(delivery.status)) return delivery;
  const { nextAttemptAt, error, ...rest } = delivery;
  if (rest.bouncedAt != null) return { ...rest, status: 'dead', ...(error != null && { error }) };
  if (rest.deliveredAt != null) return { ...rest, status: 'delivered' };
  // Its answer was lost, but it has the message.
  return rest.status === 'failed' && rest.sentAt != null ? { ...rest, status: 'sent' } : delivery;
}

/** What has been told of a delivery, to be kept whatever becomes of the attempt. */
export function toldOf({ sentAt, deliveredAt, openedAt, bouncedAt, error }: Delivery): Partial<Delivery> {
  return {
    ...(sentAt != null && { sentAt }),
    ...(deliveredAt != null && { deliveredAt }),
    ...(openedAt != null && { openedAt }),
    ...(bouncedAt != null && { bouncedAt, ...(error != null && { error }) }),
  };
}
