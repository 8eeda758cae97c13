import { type UserService } from '../../users/index.js';
import { type ChannelSender } from './channel-sender.js';
import { type MailSecrets, renderEmail } from './email-content.js';
import { type EmailRoute } from './email-route.js';

export interface EmailSenderOptions {
  route: EmailRoute;
  users: UserService;
  publicUrl: string;
  /** The domain of message ids. */
  host: string;
  mailSecrets: MailSecrets;
}

/** Mails each notification to its recipient's address as it is now. */
export function createEmailSender({ route, users, ...content }: EmailSenderOptions): ChannelSender {
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
      const emails = notifications.flatMap((notification) => {
        const contact = contacts.get(notification.userId.toHexString());
        if (contact) return [renderEmail(notification, contact, content)];
        settle(notification._id.toHexString(), { kind: 'skipped', reason: 'NO_ADDRESS' });
        return [];
      });
      await route.send(emails, settle);
    },
  };
}
