import { SECOND } from '../../../core/clock.js';
import { type Infer, objectId, open, shape, text, whole } from '../../../core/http/schema.js';
import { type SuppressionReason } from '../suppressions/suppression.model.js';
import { type DeliveryNews } from './feedback.service.js';

/** What every event has that is about one of our mails; the id is the custom argument that it was sent with. */
const eventShape = open(
  shape({
    event: text({ max: 50 }),
    sg_event_id: text({ max: 200 }),
    timestamp: whole({ min: 0, max: 4_102_444_800 }),
    notificationId: objectId(),
    email: text({ max: 320 }),
  }),
);

type Read = Infer<typeof eventShape>;

interface SendGridEvent {
  event: string;
  email: string;
  at: Date;
  /** Of a bounce: `bounce`, or `blocked` where only this mail was refused. */
  type: unknown;
  /** Of a bounce: the enhanced status code. */
  status: unknown;
  /** Why it was dropped or has bounced, in words. */
  reason: unknown;
}

type Meaning = Pick<DeliveryNews, 'feedback' | 'suppress'>;

/** What an event tells us; `undefined` where it is not about a mail of ours, or tells nothing that we keep. */
export function newsOf(event: unknown): DeliveryNews | undefined {
  const { value, error } = eventShape.validate(event, { convert: false }) as { value: Read; error?: Error };
  if (error) return undefined;
  const { event: name, sg_event_id: eventId, timestamp, notificationId, email } = value;
  const { type, status, reason } = event as Record<string, unknown>;
  const at = new Date(timestamp * SECOND);
  const meaning = MEANINGS[name]?.({ event: name, email, at, type, status, reason });
  return meaning && { eventId, notificationId, ...meaning };
}

/** `processed` and `deferred` say no more than that it was sent; whatever is new to us says nothing. */
const MEANINGS: Partial<Record<string, (event: SendGridEvent) => Meaning>> = {
  delivered: ({ at }) => ({ feedback: { kind: 'delivered', at } }),
  open: ({ at }) => ({ feedback: { kind: 'opened', at } }),
  bounce({ at, email, type, status }) {
    const code = typeof status === 'string' && /^[45]\.\d{1,3}\.\d{1,3}$/.test(status) ? status : undefined;
    const error = code === undefined ? 'BOUNCED' : `BOUNCED_${code}`;
    const feedback = { kind: 'bounced', at, error } as const;
    // Refused for what it says, for whom it comes from or for now: the mailbox is there.
    if (type === 'blocked' || code?.startsWith('4.') === true) return { feedback };
    return { feedback, suppress: { address: email, reason: 'bounce', ...(code !== undefined && { error: code }) } };
  },
  dropped({ at, email, reason: words }) {
    const reason = typeof words === 'string' ? DROPPED_FOR[words] : undefined;
    return {
      feedback: { kind: 'bounced', at, error: reason === undefined ? 'DROPPED' : `DROPPED_${reason.toUpperCase()}` },
      ...(reason !== undefined && { suppress: { address: email, reason } }),
    };
  },
  spamreport: ({ email }) => ({ suppress: { address: email, reason: 'complaint' } }),
  unsubscribe: ({ email }) => ({ suppress: { address: email, reason: 'unsubscribe' } }),
};

/** SendGrid keeps a list of its own: what it says there we should know as well. */
const DROPPED_FOR: Partial<Record<string, SuppressionReason>> = {
  'Bounced Address': 'bounce',
  'Spam Reporting Address': 'complaint',
  'Unsubscribed Address': 'unsubscribe',
};
