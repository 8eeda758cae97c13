import pLimit from 'p-limit';
import { type UserService } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { type ChannelSender } from './channel-sender.js';
import { type Email, type MailSecrets, renderEmail } from './email-content.js';
import { type Outcome } from './outcome.js';

/** A mail provider. */
export interface EmailTransport {
  /** How many mails it takes at once. */
  atOnce: number;
  send(email: Email): Promise<Outcome>;
  close(): Promise<void>;
}

export interface EmailSenderOptions {
  transport: EmailTransport;
  users: UserService;
  publicUrl: string;
  /** The domain of message ids. */
  host: string;
  mailSecrets: MailSecrets;
}

/** Mails each notification to its recipient's address as it is now. */
export function createEmailSender({ transport, users, ...content }: EmailSenderOptions): ChannelSender {
  const limit = pLimit(transport.atOnce);
  return {
    channel: 'email',
    batchSize: 100,
    concurrency: 2,
    close: () => transport.close(),
    async send(notifications) {
      const contacts = await users.contacts(notifications.map(({ userId }) => userId.toHexString()));
      const sendOne = async (notification: Notification): Promise<[string, Outcome]> => {
        const contact = contacts.get(notification.userId.toHexString());
        const outcome: Outcome = contact
          ? await transport.send(renderEmail(notification, contact, content))
          : { kind: 'skipped', reason: 'NO_ADDRESS' };
        return [notification._id.toHexString(), outcome];
      };
      return new Map(await Promise.all(notifications.map((each) => limit(sendOne, each))));
    },
  };
}
