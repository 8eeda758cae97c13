import { type UserService } from '../../users/index.js';
import { isClosedTo } from '../channel-decision.js';
import { type SuppressionService } from '../suppressions/suppression.service.js';
import { type ChannelSender } from './channel-sender.js';
import { addressOf, type EmailContext, mailRenderer } from './email-content.js';
import { type EmailRoute } from './email-route.js';
import { sendMails } from './send-mails.js';

export interface EmailSenderOptions extends EmailContext {
  route: EmailRoute;
  users: UserService;
  suppressions: Pick<SuppressionService, 'among' | 'learn'>;
}

/**
 * Mails each notification to its recipient's address as it is now, unless that is suppressed by now: it may have
 * bounced since this was written, and what an admin puts back was not decided again.
 */
export function createEmailSender({ route, users, suppressions, ...content }: EmailSenderOptions): ChannelSender {
  return {
    channel: 'email',
    batchSize: route.batchSize,
    bulkSize: route.bulkSize,
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
      const render = mailRenderer(content);
      const emails = addressed.flatMap(({ notification, contact, address }) => {
        const isClosed = address !== undefined && isClosedTo(closure(address), notification.category);
        if (contact && !isClosed) return [render(notification, contact)];
        const reason = isClosed ? 'SUPPRESSED' : 'NO_ADDRESS';
        settle(notification._id.toHexString(), { kind: 'skipped', reason });
        return [];
      });
      await sendMails({ route, suppressions }, emails, settle);
    },
  };
}
