import { type Email } from './email-content.js';
import { type Outcome } from './outcome.js';
import { type Verdict } from './provider.js';

/** How a provider dealt with one mail. */
export interface EmailResult {
  outcome: Outcome;
  /** Why the provider is out of order, if this shows that. */
  verdict?: Verdict;
  /** It certainly has not taken the mail: another provider may send it at once, and nobody gets it twice. */
  isUntaken?: boolean;
}

/** A mail provider. */
export interface EmailTransport {
  /** How many mails are worth taking up at once. */
  batchSize: number;
  /** The same of what is one of very many, where that should be fewer. */
  bulkSize?: number;
  /** How many calls it takes at once. */
  atOnce: number;
  /** Puts together what can go in one call. */
  divide(emails: Email[]): Email[][];
  /** Makes one call: how each mail ended, in the same order. Never rejects. */
  send(emails: Email[]): Promise<EmailResult[]>;
  close(): Promise<void>;
}

/** For providers that take one mail a call. */
export function oneByOne(emails: Email[]): Email[][] {
  return emails.map((email) => [email]);
}
