import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

/** An event as SendGrid posts it; custom arguments stand beside its own fields. */
export interface SendGridEvent {
  event: string;
  email: string;
  /** In seconds. */
  timestamp: number;
  sg_event_id: string;
  sg_message_id: string;
  [field: string]: unknown;
}

/** An event that SendGrid would tell at that time. */
export function sendGridEvent(event: string, email: string, at: Date, more: object = {}): SendGridEvent {
  const timestamp = Math.floor(at.getTime() / 1_000);
  return { event, email, timestamp, sg_event_id: randomUUID(), sg_message_id: `${randomUUID()}.recvd`, ...more };
}

/** Signs as SendGrid's event webhook does. */
export class SendGridWebhook {
  readonly #privateKey: KeyObject;
  /** The value for `SENDGRID_WEBHOOK_KEY`. */
  readonly publicKey: string;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  }

  /** The headers that go with this body, posted at that time. */
  headers(body: string, at: Date): Record<string, string> {
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    const signature = sign('sha256', Buffer.from(timestamp + body), this.#privateKey).toString('base64');
    return {
      'x-twilio-email-event-webhook-signature': signature,
      'x-twilio-email-event-webhook-timestamp': timestamp,
    };
  }
}
