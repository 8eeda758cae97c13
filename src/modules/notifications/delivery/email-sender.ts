import { type Contact, type UserService } from '../../users/index.js';
import { isClosedTo, type MailClosure } from '../channel-decision.js';
import { type Notification } from '../notification.model.js';
import { tellingOf } from '../reconsideration.js';
import { type SuppressionService } from '../suppressions/suppression.service.js';
import { type ChannelSender, type Known } from './channel-sender.js';
import { addressOf, type EmailContext, mailRenderer } from './email-content.js';
import { type EmailRoute } from './email-route.js';
import { sendMails } from './send-mails.js';

export interface EmailSenderOptions extends EmailContext {
  route: EmailRoute;
  users: UserService;
  suppressions: Pick<SuppressionService, 'among' | 'learn'>;
}

/** A notification, whom it is for, if there is such a user, and what their address is closed to. */
interface Addressed {
  notification: Notification;
  contact: Contact | undefined;
  closure: MailClosure | undefined;
}

/**
 * Mails each notification to its recipient's address as it is now, unless that is suppressed by now: it may have
 * bounced since this was written, and what an admin puts back was not decided again. What was decided a moment ago is not
 * read a second time.
 */
export function createEmailSender({ route, users, suppressions, ...content }: EmailSenderOptions): ChannelSender {
  async function asTheyStand(notifications: readonly Notification[]): Promise<Addressed[]> {
    const contacts = await users.contacts(notifications.map(({ userId }) => userId.toHexString()));
    const found = notifications.map((notification) => {
      const contact = contacts.get(notification.userId.toHexString());
      return { notification, contact, to: contact && addressOf(notification, contact) };
    });
    const closureOf = await suppressions.among(found.flatMap(({ to }) => to ?? []));
    return found.map(({ to, ...each }) => ({ ...each, closure: to === undefined ? undefined : closureOf(to) }));
  }

  return {
    channel: 'email',
    batchSize: route.batchSize,
    bulkSize: route.bulkSize,
    concurrency: 2,
    room: () => route.room(),
    hurry: () => route.hurry(),
    close: () => route.close(),
    async send(notifications, settle, known) {
      const addressed = known ? addressedAsKnown(notifications, known) : await asTheyStand(notifications);
      const render = mailRenderer(content);
      const emails = addressed.flatMap(({ notification, contact, closure }) => {
        const isClosed = isClosedTo(closure, notification.category);
        if (contact && !isClosed) return [render(notification, contact)];
        const reason = isClosed ? 'SUPPRESSED' : 'NO_ADDRESS';
        settle(notification._id.toHexString(), { kind: 'skipped', reason });
        return [];
      });
      await sendMails({ route, suppressions }, emails, settle);
    },
  };
}

function addressedAsKnown(notifications: readonly Notification[], known: Known): Addressed[] {
  return notifications.map((notification) => ({
    notification,
    contact: known.contact(notification.userId.toHexString()),
    closure: known.reach(tellingOf(notification)).mailClosed,
  }));
}
