import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest } from '../../core/http/problem.js';
import { tracesAtHand } from '../../core/observability/tracing.js';
import { type Actor } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { type Audience, type UserService } from '../users/index.js';
import { type Announcement, type AnnouncementStatus } from './announcements/announcement.model.js';
import { type AnnouncementService } from './announcements/announcement.service.js';
import { notificationRequested } from './notification.events.js';
import { type Batch, type Notification } from './notification.model.js';
import { type batchBody } from './notification.schemas.js';
import { type Channel, CHANNELS, USUAL_CHANNELS } from './notification.types.js';

export interface BatchDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  users: UserService;
  announcements: AnnouncementService;
}

export interface BatchProgress extends Pick<Batch, '_id' | 'status' | 'createdAt'> {
  recipients: number;
  created: number;
  channels: Partial<Record<Channel, Record<string, number>>>;
}

/** As many as can be named one by one. */
const MOST_COUNTED = 1_000;
const UNFINISHED: ReadonlySet<AnnouncementStatus> = new Set(['scheduled', 'sending']);

type BatchInput = Infer<typeof batchBody>;

/** Notifications that an admin sends to named users, or to an audience. */
export class BatchService {
  private readonly batches: Collection<Batch>;

  constructor(private readonly deps: BatchDeps) {
    this.batches = deps.database.collection('notificationBatches');
  }

  /**
   * Accepts a batch; it is written to its recipients as soon as it is due.
   * @throws Problem 400 `UNKNOWN_USERS`
   */
  request(actor: Actor, input: BatchInput): Promise<{ _id: ObjectId }> {
    const { audience, userIds = [] } = input;
    return audience ? this.announce(actor, input, audience) : this.address(actor, input, userIds);
  }

  /** An audience may be of any size: that is an announcement, with the same words in every language. */
  private announce(actor: Actor, { title, body, channels, sendAt }: BatchInput, audience: Audience) {
    return this.deps.announcements.schedule(actor, {
      title: { en: title, ar: title },
      body: { en: body, ar: body },
      audience,
      ...(channels && { channels }),
      ...(sendAt && { sendAt }),
    });
  }

  private async address(actor: Actor, input: BatchInput, userIds: string[]): Promise<Batch> {
    const { database, outbox, clock, users } = this.deps;
    const known = await users.existing(userIds);
    const unknown = userIds.filter((id) => !known.has(id));
    if (unknown.length > 0) {
      throw badRequest('UNKNOWN_USERS', `There are no users with these ids: ${unknown.slice(0, 10).join(', ')}`);
    }
    const now = clock.now();
    const { traceparent } = tracesAtHand();
    const batch: Batch = {
      _id: new ObjectId(),
      createdBy: new ObjectId(actor.id),
      userIds: userIds.map((id) => new ObjectId(id)),
      title: input.title,
      body: input.body,
      channels: input.channels ?? [...USUAL_CHANNELS],
      status: 'pending',
      nextAttemptAt: input.sendAt ?? now,
      createdAt: now,
      ...(traceparent !== undefined && { traceparent }),
    };
    const batchId = batch._id.toHexString();
    await database.inTransaction(async (session) => {
      await this.batches.insertOne(batch, { session });
      await outbox.record(session, notificationRequested, {
        actorId: actor.id,
        entity: { kind: 'notificationBatch', id: batchId },
        data: { batchId },
      });
    });
    return batch;
  }

  /**
   * How far a batch or an announcement has come: notifications per channel and status. Of a large announcement these are
   * not counted: its own numbers say how many it has `reached` on each channel, and how many were `cancelled` there.
   */
  async progress(id: string): Promise<BatchProgress | undefined> {
    return (await this.batchOf(id)) ?? (await this.announcementOf(id));
  }

  private async batchOf(id: string): Promise<BatchProgress | undefined> {
    const batch = await this.batches.findOne({ _id: new ObjectId(id) });
    if (!batch) return undefined;
    const { _id, status, createdAt, userIds } = batch;
    return { _id, status, createdAt, recipients: userIds.length, ...(await this.counts(_id)) };
  }

  private async announcementOf(id: string): Promise<BatchProgress | undefined> {
    const announcement = await this.deps.announcements.find(id);
    if (!announcement) return undefined;
    const { _id, createdAt, total, created } = announcement;
    const status = UNFINISHED.has(announcement.status) ? 'pending' : 'done';
    const counted = total > MOST_COUNTED ? { created, channels: ownNumbers(announcement) } : await this.counts(_id);
    return { _id, status, createdAt, recipients: total, ...counted };
  }

  private async counts(batchId: ObjectId): Promise<Pick<BatchProgress, 'created' | 'channels'>> {
    const statuses = Object.fromEntries(CHANNELS.map((channel) => [channel, `$channels.${channel}.status`]));
    const counted = await this.deps.database
      .collection<Notification>('notifications')
      .aggregate<{ _id: Partial<Record<Channel, string>>; count: number }>([
        { $match: { batchId } },
        { $group: { _id: statuses, count: { $sum: 1 } } },
      ])
      .toArray();
    const channels: BatchProgress['channels'] = {};
    for (const { _id, count } of counted) {
      for (const [channel, status] of Object.entries(_id) as [Channel, string][]) {
        const perStatus = (channels[channel] ??= {});
        perStatus[status] = (perStatus[status] ?? 0) + count;
      }
    }
    return { created: counted.reduce((sum, { count }) => sum + count, 0), channels };
  }
}

/** What an announcement has counted itself while it was written and stopped. */
function ownNumbers({ reached, stopped }: Announcement): BatchProgress['channels'] {
  const cancelled: Announcement['reached'] = stopped;
  return Object.fromEntries(
    CHANNELS.filter((channel) => reached[channel] !== undefined).map((channel) => [
      channel,
      { reached: reached[channel] ?? 0, cancelled: cancelled[channel] ?? 0 },
    ]),
  );
}
