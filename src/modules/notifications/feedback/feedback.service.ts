import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury } from '../dead-letters/bury.js';
import { TOLD_FIELDS, tellDeliveries } from '../delivery/tell-deliveries.js';
import { type Notification } from '../notification.model.js';
import { type NewSuppression, type SuppressionService } from '../suppressions/suppression.service.js';
import { type SuppressionSource } from '../suppressions/suppression.model.js';
import { type Feedback, withFeedback } from './feedback.js';
import { type ProviderEvent, providerEventCollection } from './provider-event.model.js';

/** Something that a provider tells of a mail. */
export interface MailNews {
  /** The provider's own id of it, the same whenever it is told again. */
  eventId: string;
  /** What was mailed: a notification, or a digest with all that it was about. */
  notificationId: string;
  /** What it says of the delivery, if anything. */
  feedback?: Feedback;
  /** The address that gets no mail any more, if that follows. */
  suppress?: Pick<NewSuppression, 'address' | 'reason' | 'error'>;
}

export interface FeedbackDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  suppressions: Pick<SuppressionService, 'add'>;
}

/** As much as one transaction takes up. */
const MOST_AT_ONCE = 500;
/** Of what digests were about, all digests of one transaction together. */
const MOST_GATHERED = 2_000;

type Mailed = Pick<Notification, '_id' | 'userId' | 'type' | 'createdAt' | 'channels'>;

/** Takes in what providers tell of mails that they have taken. */
export class FeedbackService {
  private readonly notifications: Collection<Notification>;
  private readonly heard: Collection<ProviderEvent>;

  constructor(private readonly deps: FeedbackDeps) {
    this.notifications = deps.database.collection('notifications');
    this.heard = deps.database.collection(providerEventCollection.name);
  }

  /**
   * Brings deliveries up to date, tells of it, and suppresses addresses. What was told before, or is about a
   * notification that there is not, changes nothing. Should this fail in the middle, it can be told again.
   */
  async take(source: SuppressionSource, news: readonly MailNews[]): Promise<void> {
    for (let start = 0; start < news.length; start += MOST_AT_ONCE) {
      const some = news.slice(start, start + MOST_AT_ONCE);
      await this.deps.database.inTransaction((session) => this.takeSome(session, source, some));
    }
  }

  private async takeSome(session: ClientSession, source: SuppressionSource, some: readonly MailNews[]): Promise<void> {
    const fresh = await this.firstHeard(session, source, some);
    if (fresh.length === 0) return;
    const ids = [...new Set(fresh.map(({ notificationId }) => notificationId))].map((id) => new ObjectId(id));
    const projection = { ...TOLD_FIELDS, channels: 1 };
    const [single, gathered]: [Mailed[], Mailed[]] = [
      await this.notifications.find({ _id: { $in: ids } }, { session, projection }).toArray(),
      await this.notifications
        .find({ 'channels.email.digestId': { $in: ids } }, { session, projection, limit: MOST_GATHERED })
        .sort({ 'channels.email.digestId': 1, _id: -1 })
        .toArray(),
    ];
    // One that was in a digest was not mailed by itself: only one of the two can be meant.
    const found = [...single, ...gathered.filter(({ _id }) => !single.some((one) => one._id.equals(_id)))];
    await this.update(session, found, fresh);
    const owners = new Map(found.map((each) => [mailOf(each), each.userId.toHexString()]));
    await this.deps.suppressions.add(
      session,
      fresh.flatMap(({ notificationId, suppress }) => {
        const userId = owners.get(notificationId);
        return suppress && userId !== undefined ? [{ ...suppress, source, userId }] : [];
      }),
    );
  }

  /** Those that are told for the first time; they are remembered with what follows from them, or not at all. */
  private async firstHeard(
    session: ClientSession,
    source: SuppressionSource,
    some: readonly MailNews[],
  ): Promise<MailNews[]> {
    const at = this.deps.clock.now();
    const { upsertedIds } = await this.heard.bulkWrite(
      some.map(({ eventId }) => ({
        updateOne: { filter: { _id: `${source}:${eventId}` }, update: { $setOnInsert: { at } }, upsert: true },
      })),
      { session },
    );
    return some.filter((_news, index) => index in upsertedIds);
  }

  private async update(session: ClientSession, found: readonly Mailed[], news: readonly MailNews[]): Promise<void> {
    const { database, outbox, clock } = this.deps;
    const told = new Map(found.map((each): [string, Feedback[]] => [mailOf(each), []]));
    for (const { notificationId, feedback } of news) if (feedback) told.get(notificationId)?.push(feedback);
    const changed = found.flatMap((notification) => {
      const { email } = notification.channels;
      const delivery = email && withFeedback(email, told.get(mailOf(notification)) ?? []);
      return delivery ? [{ notification, delivery, was: email.status }] : [];
    });
    if (changed.length === 0) return;
    await this.notifications.bulkWrite(
      changed.map(({ notification: { _id }, delivery }) => ({
        updateOne: { filter: { _id }, update: { $set: { 'channels.email': delivery } } },
      })),
      { session, ordered: false },
    );
    const died = changed.filter(({ delivery, was }) => delivery.status === 'dead' && was !== 'dead');
    await bury({ database, session, channel: 'email', dead: died, at: clock.now() });
    await tellDeliveries(
      outbox,
      session,
      'email',
      changed.map(({ notification, was, delivery: { status } }) => ({ notification, was, status })),
    );
  }
}

/** The mail it was told by: that of its digest, if it was in one. */
function mailOf({ _id, channels }: Mailed): string {
  return (channels.email?.digestId ?? _id).toHexString();
}
