import { type UserService } from '../../users/index.js';
import { isClosedTo } from '../channel-decision.js';
import { type NewSuppression, type SuppressionService } from '../suppressions/suppression.service.js';
import { type ChannelSender } from './channel-sender.js';
import { addressOf, type Email, type EmailContext, renderEmail } from './email-content.js';
import { type EmailRoute } from './email-route.js';
import { type Outcome } from './outcome.js';

export interface EmailSenderOptions extends EmailContext {
  route: EmailRoute;
  users: UserService;
  suppressions: Pick<SuppressionService, 'among' | 'learn'>;
}

/**
 * That there is no such mailbox, or nothing that takes mail there (RFC 3463, section 3.2; RFC 7505), as servers say it
 * in their answer. A bare 550 may mean anything.
 */
const NO_MAILBOX = /\b5\.1\.(?:1|2|3|6|10)\b/;

/**
 * Mails each notification to its recipient's address as it is now, unless that is suppressed by now: it may have
 * bounced since this was written, and what an admin puts back was not decided again.
 */
export function createEmailSender({ route, users, suppressions, ...content }: EmailSenderOptions): ChannelSender {
  return {
    channel: 'email',
    batchSize: route.batchSize,
    concurrency: 2,
    room: () => route.room(),
    hurry: () => route.hurry(),
    close: () => route.close(),
    async send(notifications, settle) {
      const contacts = await users.contacts(notifications.map(({ userId }) => userId.toHexString()));
      const addressed = notifications.map((notification) => {
        const contact = contacts.get(notification.userId.toHexString());
        return { notification, contact, address: contact && addressOf(notification, contact) };
      });
      const closure = await suppressions.among(addressed.flatMap(({ address }) => address ?? []));
      const emails = addressed.flatMap(({ notification, contact, address }) => {
        const isClosed = address !== undefined && isClosedTo(closure(address), notification.category);
        if (contact && !isClosed) return [renderEmail(notification, contact, content)];
        const reason = isClosed ? 'SUPPRESSED' : 'NO_ADDRESS';
        settle(notification._id.toHexString(), { kind: 'skipped', reason });
        return [];
      });
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
    },
  };
}

function bounced({ to, userId }: Email, error: string): NewSuppression {
  return { address: to.address, userId, reason: 'bounce', source: 'smtp', error };
}
