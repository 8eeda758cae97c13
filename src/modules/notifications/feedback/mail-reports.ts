import { createHash } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { badRequest } from '../../../core/http/problem.js';
import { type UserService } from '../../users/index.js';
import { addressOf } from '../delivery/email-content.js';
import { type Digest, digestCollection } from '../digests/digest.model.js';
import { type Notification } from '../notification.model.js';
import { spelt } from '../suppressions/suppression.model.js';
import { type DeliveryReport, readReport, type ReportedRecipient } from './delivery-report.js';
import { type FeedbackService, type DeliveryNews } from './feedback.service.js';

export interface MailReportDeps {
  database: Database;
  clock: Clock;
  users: Pick<UserService, 'contacts'>;
  feedback: Pick<FeedbackService, 'take'>;
  /** The domain of message ids. */
  host: string;
}

/** Takes in what mail servers send back to the sender of mails. */
export class MailReports {
  private readonly notifications: Collection<Notification>;
  private readonly digests: Collection<Digest>;

  constructor(private readonly deps: MailReportDeps) {
    this.notifications = deps.database.collection('notifications');
    this.digests = deps.database.collection(digestCollection.name);
  }

  /**
   * Brings the delivery up to date that a mail reports on. Anyone can send such a mail: one that does not name a mail
   * of ours, or another recipient than that mail had, changes nothing; nor does any other mail, such as an answer.
   * @throws Problem 400 `MALFORMED_MAIL`
   */
  async take(mail: Buffer): Promise<void> {
    const report = await readReport(mail).catch((error: unknown) => {
      if (error instanceof Error) throw badRequest('MALFORMED_MAIL', 'The mail cannot be read.');
      throw error;
    });
    if (!report) return;
    const mailed = await this.mailedBy(report.messageId);
    if (!mailed) return;
    const reportId = createHash('sha256')
      .update(report.id ?? mail)
      .digest('base64url');
    const about = report.recipients.filter(({ addresses }) => addresses.some((one) => spelt(one) === mailed.address));
    await this.deps.feedback.take(
      'smtp',
      about.flatMap((recipient, index) => this.newsOf(recipient, { ...mailed, eventId: `${reportId}:${index}` })),
    );
  }

  /** The notification or digest that went out with this Message-ID, and where to. */
  private async mailedBy(
    messageId: DeliveryReport['messageId'],
  ): Promise<{ notificationId: string; address: string } | undefined> {
    const [, id, host] = /^<([0-9a-f]{24})@([^>]+)>$/.exec(messageId) ?? [];
    if (id === undefined || host !== this.deps.host) return undefined;
    const projection = { userId: 1, mailTo: 1 };
    const _id = new ObjectId(id);
    const [notification, digest] = await Promise.all([
      this.notifications.findOne({ _id }, { projection }),
      this.digests.findOne({ _id }, { projection: { userId: 1 } }),
    ]);
    const mailed = notification ?? digest;
    if (!mailed) return undefined;
    const userId = mailed.userId.toHexString();
    const contact = (await this.deps.users.contacts([userId])).get(userId);
    return contact && { notificationId: id, address: spelt(addressOf(notification ?? {}, contact)) };
  }

  private newsOf(
    { action, status }: ReportedRecipient,
    { eventId, notificationId, address }: { eventId: string; notificationId: string; address: string },
  ): DeliveryNews[] {
    const at = this.deps.clock.now();
    if (action === 'delivered') return [{ eventId, notificationId, feedback: { kind: 'delivered', at } }];
    if (action !== 'failed') return [];
    const feedback = { kind: 'bounced', at, error: `BOUNCED_${status}` } as const;
    // A server that gave up after days of trying says nothing of tomorrow.
    const isFinal = status.startsWith('5.');
    return [
      {
        ...{ eventId, notificationId, feedback },
        ...(isFinal && { suppress: { address, reason: 'bounce' as const, error: status } }),
      },
    ];
  }
}
