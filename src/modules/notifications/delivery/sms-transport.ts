import { type NewSuppression } from '../suppressions/suppression.service.js';
import { type Outcome } from './outcome.js';
import { type Verdict } from './provider.js';
import { type Sms } from './sms-content.js';

/** How a provider dealt with one message. */
export interface SmsResult {
  outcome: Outcome;
  /** Why the provider is out of order, if this shows that. */
  verdict?: Verdict;
  /** Why the number gets no SMS any more, if that follows. */
  suppress?: Pick<NewSuppression, 'reason' | 'error'>;
}

/** A provider of SMS. */
export interface SmsTransport {
  /** How many calls it takes at once. */
  atOnce: number;
  /** Makes one call. Never rejects. */
  send(sms: Sms): Promise<SmsResult>;
  close(): Promise<void>;
}
