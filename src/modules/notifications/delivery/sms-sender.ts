import { type PhoneService } from '../../phones/index.js';
import { type UserService } from '../../users/index.js';
import { type NewSuppression, type SuppressionService } from '../suppressions/suppression.service.js';
import { type ChannelSender } from './channel-sender.js';
import { type Outcome } from './outcome.js';
import { renderSms, type SmsContext } from './sms-content.js';
import { type SmsRoute } from './sms-route.js';
import { type Notification } from '../notification.model.js';

export interface SmsSenderOptions extends SmsContext {
  route: SmsRoute;
  users: Pick<UserService, 'contacts'>;
  phones: Pick<PhoneService, 'numbersOf'>;
  suppressions: Pick<SuppressionService, 'among' | 'learn'>;
}

/** Writes each notification to its recipient's number as it is now, unless that gets no SMS by now. */
export function createSmsSender({ route, users, phones, suppressions, ...content }: SmsSenderOptions): ChannelSender {
  return {
    channel: 'sms',
    batchSize: 50,
    // A message that comes in between waits for a few.
    bulkSize: 10,
    concurrency: 2,
    room: () => route.room(),
    hurry: () => route.hurry(),
    close: () => route.close(),
    async send(claimed, settle) {
      const notifications = claimed.filter((notification) => !isTaken(notification));
      for (const { _id } of claimed.filter(isTaken)) settle(_id.toHexString(), { kind: 'sent' });
      const userIds = notifications.map(({ userId }) => userId.toHexString());
      const [contacts, numbers] = await Promise.all([users.contacts(userIds), phones.numbersOf(userIds)]);
      const addressed = notifications.map((notification) => {
        const userId = notification.userId.toHexString();
        const number = contacts.has(userId) ? (notification.smsTo ?? numbers.get(userId)) : undefined;
        return { notification, number };
      });
      const closure = await suppressions.among(addressed.flatMap(({ number }) => number ?? []));
      const messages = addressed.flatMap(({ notification, number }) => {
        const isOpen = number !== undefined && closure(number) === undefined;
        if (isOpen) return [renderSms(notification, number, content)];
        const reason = number === undefined ? 'NO_NUMBER' : 'SUPPRESSED';
        settle(notification._id.toHexString(), { kind: 'skipped', reason });
        return [];
      });
      const closed: { suppression: NewSuppression; outcome: Outcome; id: string }[] = [];
      await route.send(messages, ({ notificationId: id, userId, to }, { outcome, suppress }) => {
        if (suppress) closed.push({ suppression: { ...suppress, address: to, userId, source: 'twilio' }, outcome, id });
        else settle(id, outcome);
      });
      // First of all, so that nothing follows on the end of these messages that writes to the same number again.
      await suppressions.learn(closed.map(({ suppression }) => suppression));
      for (const { id, outcome } of closed) settle(id, outcome);
    },
  };
}

/** Its provider has told of it though whoever sent it never heard an answer: nobody is to get it twice. */
function isTaken({ channels: { sms } }: Notification): boolean {
  return (sms?.sentAt ?? sms?.deliveredAt ?? sms?.bouncedAt) != null;
}
