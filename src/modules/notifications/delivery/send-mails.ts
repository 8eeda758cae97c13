import { type NewSuppression, type SuppressionService } from '../suppressions/suppression.service.js';
import { type Email } from './email-content.js';
import { type EmailRoute } from './email-route.js';
import { type Outcome, type Settle } from './outcome.js';

export interface MailWay {
  route: EmailRoute;
  suppressions: Pick<SuppressionService, 'learn'>;
}

/**
 * That there is no such mailbox, or nothing that takes mail there (RFC 3463, section 3.2; RFC 7505), as servers say it
 * in their answer. A bare 550 may mean anything.
 */
const NO_MAILBOX = /\b5\.1\.(?:1|2|3|6|10)\b/;

/** Says how each mail ended, as it comes; an address that is said not to exist gets no more mail. */
export async function sendMails({ route, suppressions }: MailWay, emails: Email[], settle: Settle): Promise<void> {
  const byId = new Map(emails.map((email) => [email.notificationId, email]));
  const gone: { suppression: NewSuppression; outcome: Outcome; id: string }[] = [];
  await route.send(emails, (id, outcome) => {
    const email = byId.get(id);
    const error = outcome.kind === 'dead' ? NO_MAILBOX.exec(outcome.detail ?? '')?.[0] : undefined;
    if (email && error !== undefined) gone.push({ suppression: bounced(email, error), outcome, id });
    else settle(id, outcome);
  });
  // First of all, so that nothing follows on the end of these mails that writes to the same address again.
  await suppressions.learn(gone.map(({ suppression }) => suppression));
  for (const { id, outcome } of gone) settle(id, outcome);
}

function bounced({ to, userId }: Email, error: string): NewSuppression {
  return { address: to.address, userId, reason: 'bounce', source: 'smtp', error };
}
