import { type Collection, ObjectId } from 'mongodb';
import { type Clock, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type PhoneService } from '../../phones/index.js';
import { type Contact, type UserService } from '../../users/index.js';
import { addressOf } from '../delivery/email-content.js';
import { type Digest, digestCollection } from '../digests/digest.model.js';
import { type Notification } from '../notification.model.js';
import { type DeliveryNews, type FeedbackService } from './feedback.service.js';
import { MEMORY_MS } from './provider-event.model.js';
import { type PartnerEvent } from './partner.schemas.js';

export interface PartnerReportDeps {
  database: Database;
  clock: Clock;
  users: Pick<UserService, 'contacts'>;
  phones: Pick<PhoneService, 'numbersOf'>;
  feedback: Pick<FeedbackService, 'take'>;
  /** The domain of message ids. */
  host: string;
}

/** One with the notification or digest that it is about. */
type Identified = PartnerEvent & { about: string };
type Addressed = Pick<Notification, 'userId' | 'mailTo' | 'smsTo'>;

/** Takes in what systems of partners tell of messages that they have passed on. */
export class PartnerReports {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: PartnerReportDeps) {
    this.notifications = deps.database.collection('notifications');
  }

  /**
   * Brings deliveries up to date. Each event of a partner counts once, by its id; one that is older than what is
   * remembered of them is ignored, since it may have counted before.
   */
  async take(partnerId: string, events: readonly PartnerEvent[]): Promise<void> {
    const now = this.deps.clock.now();
    const recent = events.filter(({ at }) => later(at, MEMORY_MS) > now);
    const identified = await this.identify(recent);
    const closing = identified.filter((event) => isClosing(event));
    const addresses = await this.addressesOf(closing);
    await this.deps.feedback.take(
      'partner',
      identified.map((event): DeliveryNews => {
        const { id, channel, about, event: kind, at: told, detail } = event;
        const at = told > now ? now : told;
        const address = isClosing(event) ? addresses.get(`${channel} ${about}`) : undefined;
        const code = codeIn(detail);
        return {
          ...{ eventId: `${partnerId}:${id}`, channel, notificationId: about },
          ...(detail !== undefined && { detail }),
          ...(kind !== 'complained' && {
            feedback: { kind, at, ...(code !== undefined && { error: `BOUNCED_${code}` }) },
          }),
          ...(address !== undefined && {
            suppress: {
              address,
              reason: kind === 'complained' ? 'complaint' : 'bounce',
              ...(code !== undefined && { error: code }),
            },
          }),
        };
      }),
    );
  }

  /** What each is about; those that name nothing of ours are left out. */
  private async identify(events: readonly PartnerEvent[]): Promise<Identified[]> {
    const named = events.flatMap(({ channel, messageId }) => (channel === 'sms' && messageId ? [messageId] : []));
    const found =
      named.length === 0
        ? []
        : await this.notifications
            .find(
              { 'channels.sms.providerMessageId': { $in: named } },
              { projection: { 'channels.sms.providerMessageId': 1 } },
            )
            .toArray();
    const byMessage = new Map(found.map(({ _id, channels }) => [channels.sms?.providerMessageId, _id.toHexString()]));
    return events.flatMap((event) => {
      const { notificationId, messageId = '', channel } = event;
      const about = notificationId ?? (channel === 'sms' ? byMessage.get(messageId) : this.mailedAs(messageId));
      return about === undefined ? [] : [{ ...event, about }];
    });
  }

  /** The notification or digest that went out with this Message-ID. */
  private mailedAs(messageId: string): string | undefined {
    const [, id, host] = /^<?([0-9a-f]{24})@([^<>]+?)>?$/.exec(messageId) ?? [];
    return host === this.deps.host ? id : undefined;
  }

  /** Where these went, by channel and what was sent. */
  private async addressesOf(events: readonly Identified[]): Promise<ReadonlyMap<string, string>> {
    if (events.length === 0) return new Map();
    const { database, users, phones } = this.deps;
    const _id = { $in: events.map(({ about }) => new ObjectId(about)) };
    const [single, digests] = await Promise.all([
      this.notifications.find({ _id }, { projection: { userId: 1, mailTo: 1, smsTo: 1 } }).toArray(),
      database
        .collection<Digest>(digestCollection.name)
        .find({ _id }, { projection: { userId: 1 } })
        .toArray(),
    ]);
    const sent = new Map<string, Addressed>([...digests, ...single].map((each) => [each._id.toHexString(), each]));
    const owners = [...sent.values()].map(({ userId }) => userId.toHexString());
    const [contacts, numbers] = await Promise.all([users.contacts(owners), phones.numbersOf(owners)]);
    return new Map(
      events.flatMap(({ channel, about }) => {
        const one = sent.get(about);
        const owner = one?.userId.toHexString() ?? '';
        const address = one && addressFor(channel, one, contacts.get(owner), numbers.get(owner));
        return address === undefined ? [] : [[`${channel} ${about}`, address] as const];
      }),
    );
  }
}

function addressFor(
  channel: PartnerEvent['channel'],
  sent: Addressed,
  contact: Contact | undefined,
  number: string | undefined,
): string | undefined {
  if (channel === 'email') return contact && addressOf(sent, contact);
  return channel === 'sms' ? (sent.smsTo ?? number) : undefined;
}

/** Whether its address gets nothing any more: who does not exist, as far as the status code says, or complains. */
function isClosing({ event, detail }: PartnerEvent): boolean {
  return event === 'complained' || (event === 'bounced' && codeIn(detail)?.startsWith('5.') === true);
}

/** The enhanced status code (RFC 3463) in what was said. */
function codeIn(detail: string | undefined): string | undefined {
  return /(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])/.exec(detail ?? '')?.[0];
}
