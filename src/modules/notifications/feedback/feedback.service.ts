import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { bury } from '../dead-letters/bury.js';
import { TOLD_FIELDS, tellDeliveries } from '../delivery/tell-deliveries.js';
import { type Notification } from '../notification.model.js';
import { type NewSuppression, type SuppressionService } from '../suppressions/suppression.service.js';
import { OUTSIDE_CHANNELS, type OutsideChannel } from '../notification.types.js';
import { type SuppressionSource } from '../suppressions/suppression.model.js';
import { type Feedback, withFeedback } from './feedback.js';
import { firstHeard } from './heard.js';

/** Something that is told of a message that was sent. */
export interface DeliveryNews {
  /** The teller's own id of it, the same whenever it is told again. */
  eventId: string;
  /** E-mail unless told. */
  channel?: OutsideChannel;
  /** What was sent: a notification, or by e-mail a digest with all that it was about. */
  notificationId: string;
  /** What it says of the delivery, if anything. */
  feedback?: Feedback;
  /** Why, in words: for admins, where it is given up for that. */
  detail?: string;
  /** The address or number that gets nothing any more, if that follows. */
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

type Sent = Pick<Notification, '_id' | 'userId' | 'type' | 'createdAt' | 'channels'>;

/** Takes in what is told of messages that were sent. */
export class FeedbackService {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: FeedbackDeps) {
    this.notifications = deps.database.collection('notifications');
  }

  /**
   * Brings deliveries up to date, tells of it, and suppresses addresses. What was told before, or is about a
   * notification that there is not, changes nothing. Should this fail in the middle, it can be told again.
   */
  async take(source: SuppressionSource, news: readonly DeliveryNews[]): Promise<void> {
    for (let start = 0; start < news.length; start += MOST_AT_ONCE) {
      const some = news.slice(start, start + MOST_AT_ONCE);
      await this.deps.database.inTransaction((session) => this.takeSome(session, source, some));
    }
  }

  private async takeSome(
    session: ClientSession,
    source: SuppressionSource,
    some: readonly DeliveryNews[],
  ): Promise<void> {
    const { database, clock, suppressions } = this.deps;
    const heard = { source, eventIds: some.map(({ eventId }) => eventId), at: clock.now() };
    const first = await firstHeard(database, session, heard);
    const fresh = some.filter((_news, index) => first.has(index));
    for (const channel of OUTSIDE_CHANNELS) {
      const news = fresh.filter((one) => (one.channel ?? 'email') === channel);
      if (news.length === 0) continue;
      const found = await this.find(session, channel, news);
      await this.update(session, channel, found, news);
      const owners = new Map(found.map((each) => [sentAs(each, channel), each.userId.toHexString()]));
      await suppressions.add(
        session,
        news.flatMap(({ notificationId, suppress }) => {
          const userId = owners.get(notificationId);
          return suppress && userId !== undefined ? [{ ...suppress, source, userId }] : [];
        }),
      );
    }
  }

  private async find(session: ClientSession, channel: OutsideChannel, news: readonly DeliveryNews[]): Promise<Sent[]> {
    const ids = [...new Set(news.map(({ notificationId }) => notificationId))].map((id) => new ObjectId(id));
    const projection = { ...TOLD_FIELDS, channels: 1 };
    const single: Sent[] = await this.notifications.find({ _id: { $in: ids } }, { session, projection }).toArray();
    if (channel !== 'email') return single;
    const gathered: Sent[] = await this.notifications
      .find({ 'channels.email.digestId': { $in: ids } }, { session, projection, limit: MOST_GATHERED })
      .sort({ 'channels.email.digestId': 1, _id: -1 })
      .toArray();
    // One that was in a digest was not mailed by itself: only one of the two can be meant.
    return [...single, ...gathered.filter(({ _id }) => !single.some((one) => one._id.equals(_id)))];
  }

  private async update(
    session: ClientSession,
    channel: OutsideChannel,
    found: readonly Sent[],
    news: readonly DeliveryNews[],
  ): Promise<void> {
    const { database, outbox, clock } = this.deps;
    const told = new Map(found.map((each): [string, Feedback[]] => [sentAs(each, channel), []]));
    for (const { notificationId, feedback } of news) if (feedback) told.get(notificationId)?.push(feedback);
    const changed = found.flatMap((notification) => {
      const before = notification.channels[channel];
      const delivery = before && withFeedback(before, told.get(sentAs(notification, channel)) ?? []);
      return delivery ? [{ notification, delivery, was: before.status }] : [];
    });
    if (changed.length === 0) return;
    const toldAt = clock.now();
    await this.notifications.bulkWrite(
      changed.map(({ notification: { _id }, delivery }) => ({
        updateOne: { filter: { _id }, update: { $set: { [`channels.${channel}`]: delivery, toldAt } } },
      })),
      { session, ordered: false },
    );
    const words = new Map(news.flatMap(({ notificationId, detail }) => (detail ? [[notificationId, detail]] : [])));
    const died = changed.flatMap(({ notification, delivery, was }) => {
      const detail = words.get(sentAs(notification, channel));
      const isNew = delivery.status === 'dead' && was !== 'dead';
      return isNew ? [{ notification, delivery, ...(detail !== undefined && { detail }) }] : [];
    });
    await bury({ database, session, channel, dead: died, at: clock.now() });
    await tellDeliveries(
      outbox,
      session,
      channel,
      changed.map(({ notification, was, delivery: { status } }) => ({ notification, was, status })),
    );
  }
}

/** What it was sent as: of what was in a digest, that digest. */
function sentAs({ _id, channels }: Sent, channel: OutsideChannel): string {
  return ((channel === 'email' ? channels.email?.digestId : undefined) ?? _id).toHexString();
}
