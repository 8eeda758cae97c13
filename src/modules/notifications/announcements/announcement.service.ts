import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Page, type Pager } from '../../../core/http/paging.js';
import { badRequest, conflict, notFound } from '../../../core/http/problem.js';
import { type Actor } from '../../../core/http/route.js';
import { type Infer } from '../../../core/http/schema.js';
import { type Audience, type Audiences } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { CHANNELS, USUAL_CHANNELS } from '../notification.types.js';
import { announcementCancelled, announcementScheduled } from './announcement.events.js';
import { type Announcement, announcementCollection, type AnnouncementStatus } from './announcement.model.js';
import { type announcementBody } from './announcement.schemas.js';

export interface AnnouncementDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  pager: Pager;
  audiences: Audiences;
}

export interface AnnouncementQuery {
  status?: AnnouncementStatus | undefined;
  limit: number;
  cursor?: string | undefined;
}

const SAMPLE = 10;
/** What can still be stopped: of one that was sent deliveries may be waiting. */
const UNSTOPPED: AnnouncementStatus[] = ['scheduled', 'sending', 'sent'];

/** What is told to many at once. */
export class AnnouncementService {
  private readonly announcements: Collection<Announcement>;

  constructor(private readonly deps: AnnouncementDeps) {
    this.announcements = deps.database.collection(announcementCollection.name);
  }

  /**
   * Accepts an announcement; it is sent as soon as it is due.
   * @throws Problem 400 `EXPIRES_TOO_EARLY`
   */
  async schedule(actor: Actor, input: Infer<typeof announcementBody>): Promise<Announcement> {
    const { database, outbox, clock } = this.deps;
    const now = clock.now();
    const { title, body, audience, channels, sendAt = now, expiresAt } = input;
    if (expiresAt && (expiresAt <= sendAt || expiresAt <= now)) {
      throw badRequest('EXPIRES_TOO_EARLY', 'It would expire before it is sent.');
    }
    const announcement: Announcement = {
      _id: new ObjectId(),
      createdBy: new ObjectId(actor.id),
      title,
      body,
      audience,
      channels: channels ?? [...USUAL_CHANNELS],
      status: 'scheduled',
      sendAt,
      ...(expiresAt && { expiresAt }),
      createdAt: now,
      nextAttemptAt: sendAt,
      total: 0,
      processed: 0,
      created: 0,
      reached: {},
      stopped: {},
    };
    await database.inTransaction(async (session) => {
      await this.announcements.insertOne(announcement, { session });
      await outbox.record(session, announcementScheduled, aboutAnnouncement(actor.id, announcement));
    });
    return announcement;
  }

  /** How many an audience has now, and some of them. */
  async preview(audience: Audience) {
    const { audiences } = this.deps;
    const [count, sample] = await Promise.all([audiences.count(audience), audiences.sample(audience, SAMPLE)]);
    return { count, sample };
  }

  /** Newest first. */
  list({ status, ...page }: AnnouncementQuery): Promise<Page<Announcement>> {
    return this.deps.pager.page<Announcement>({
      collection: this.announcements,
      filter: status ? { status } : {},
      sort: [['_id', -1]],
      scope: `announcements ${status ?? ''}`,
      ...page,
    });
  }

  find(id: string): Promise<Announcement | null> {
    return this.announcements.findOne({ _id: new ObjectId(id) });
  }

  /**
   * Tells it to nobody else; what of it waits to be sent is not sent. Doing it again changes nothing.
   * @throws Problem 404 `ANNOUNCEMENT_NOT_FOUND`, 409 `ANNOUNCEMENT_EXPIRED`
   */
  async cancel(adminId: string, id: string): Promise<Announcement> {
    const { database, outbox, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const now = clock.now();
      const cancelled = await this.announcements.findOneAndUpdate(
        { _id: new ObjectId(id), status: { $in: UNSTOPPED } },
        { $set: { status: 'cancelled', endedAt: now, nextAttemptAt: now } },
        { session, returnDocument: 'after' },
      );
      if (cancelled) {
        await outbox.record(session, announcementCancelled, aboutAnnouncement(adminId, cancelled));
        return cancelled;
      }
      const unchanged = await this.announcements.findOne({ _id: new ObjectId(id) }, { session });
      if (!unchanged) throw notFound('ANNOUNCEMENT_NOT_FOUND', 'There is no such announcement.');
      if (unchanged.status === 'expired') throw conflict('ANNOUNCEMENT_EXPIRED', 'Nothing of it is sent any more.');
      return unchanged;
    });
  }

  /** Which of these are to be sent to nobody any more, and why, by id. */
  async stopped(ids: ObjectId[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const found = await this.announcements
      .find({ _id: { $in: ids }, status: { $in: ['cancelled', 'expired'] } }, { projection: { status: 1 } })
      .toArray();
    return new Map(found.map((each) => [each._id.toHexString(), reasonOf(each)]));
  }
}

/** Why deliveries of an announcement that has ended are not made. */
export function reasonOf({ status }: Pick<Announcement, 'status'>): string {
  return status === 'expired' ? 'EXPIRED' : 'CANCELLED';
}

/** How many notifications there are for each channel that they go out on. */
export function reachedBy(channels: readonly Notification['channels'][]): Announcement['reached'] {
  const reached: Announcement['reached'] = {};
  for (const each of channels) {
    for (const channel of CHANNELS) {
      const state = each[channel];
      if (state && state.status !== 'skipped') reached[channel] = (reached[channel] ?? 0) + 1;
    }
  }
  return reached;
}

function aboutAnnouncement(actorId: string, { _id }: Announcement) {
  const id = _id.toHexString();
  return { actorId, entity: { kind: 'announcement', id }, data: { announcementId: id } };
}
