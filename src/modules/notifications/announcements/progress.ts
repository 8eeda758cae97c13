import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Audiences } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { announcementProgressed } from './announcement.events.js';
import { type Announcement, announcementCollection } from './announcement.model.js';
import { presentProgress } from './announcement.presenter.js';

/** Of those who hear how far announcements have come. */
const MOST_ADMINS = 100;

interface Deps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  audiences: Audiences;
}

/** The numbers of announcements, which admins are told of as they change. */
export class AnnouncementProgress {
  private readonly announcements: Collection<Announcement>;

  constructor(private readonly deps: Deps) {
    this.announcements = deps.database.collection(announcementCollection.name);
  }

  /** Adds to the numbers of one announcement. */
  async add(session: ClientSession, _id: ObjectId, $inc: Record<string, number>): Promise<void> {
    const moved = await this.announcements.findOneAndUpdate({ _id }, { $inc }, { session, returnDocument: 'after' });
    if (moved) await this.tell(session, moved);
  }

  /** Counts deliveries that a worker had in hand and gave up because their announcement had ended. */
  async countGivenUp(session: ClientSession, channel: OutsideChannel, given: readonly Notification[]): Promise<void> {
    const counts = new Map<string, { _id: ObjectId; count: number }>();
    for (const { batchId } of given) {
      if (!batchId) continue;
      const key = batchId.toHexString();
      counts.set(key, { _id: batchId, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    for (const { _id, count } of counts.values()) await this.add(session, _id, { [`stopped.${channel}`]: count });
  }

  private async tell(session: ClientSession, announcement: Announcement): Promise<void> {
    await this.deps.outbox.record(session, announcementProgressed, {
      entity: { kind: 'announcement', id: announcement._id.toHexString() },
      audience: { userIds: await this.admins() },
      data: presentProgress(announcement),
    });
  }

  private async admins(): Promise<string[]> {
    const { audiences, clock } = this.deps;
    const found = await audiences.page({ roles: ['admin'] }, { joinedBy: clock.now(), limit: MOST_ADMINS });
    return found.map(({ _id }) => _id.toHexString());
  }
}
