import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { tellCancelled, TOLD_FIELDS } from '../delivery/tell-deliveries.js';
import { type Notification } from '../notification.model.js';
import { OUTSIDE_CHANNELS } from '../notification.types.js';
import { type Announcement } from './announcement.model.js';
import { reasonOf } from './announcement.service.js';

const PAGE = 1_000;

/** Some of an announcement's notifications. */
export interface StoppedPage {
  ids: ObjectId[];
  /** The last of them; absent where no more follow. */
  upTo: ObjectId | undefined;
}

/**
 * Cancels what of an announcement has not been sent, a page of its notifications at a time. What is being sent is left
 * to its worker, which gives it up before a second attempt.
 */
export class Stopping {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: { database: Database; outbox: Outbox; clock: Clock }) {
    this.notifications = deps.database.collection('notifications');
  }

  /** Its next notifications, in the order of their ids: no more are written once it has ended. */
  async page({ _id, stoppedUpTo }: Announcement): Promise<StoppedPage> {
    const found = await this.notifications
      .find(
        { batchId: _id, ...(stoppedUpTo && { _id: { $gt: stoppedUpTo } }) },
        { projection: { _id: 1 }, sort: { _id: 1 }, limit: PAGE, batchSize: PAGE + 1 },
      )
      .toArray();
    const ids = found.map((each) => each._id);
    return { ids, upTo: ids.length < PAGE ? undefined : ids.at(-1) };
  }

  /** Cancels what of these waits to be sent, and tells of it; answers with how many on each channel. */
  async stop(session: ClientSession, announcement: Announcement, ids: ObjectId[]): Promise<Announcement['stopped']> {
    const stopped: Announcement['stopped'] = {};
    for (const channel of OUTSIDE_CHANNELS) {
      const path = `channels.${channel}`;
      const waiting = { _id: { $in: ids }, [`${path}.status`]: { $in: ['pending', 'failed'] } };
      const projection = { ...TOLD_FIELDS, [`${path}.status`]: 1 };
      const found = await this.notifications.find(waiting, { session, projection }).toArray();
      if (found.length === 0) continue;
      await this.notifications.updateMany(
        waiting,
        {
          $set: {
            [`${path}.status`]: 'cancelled',
            [`${path}.reason`]: reasonOf(announcement),
            toldAt: this.deps.clock.now(),
          },
          // Whoever has claimed it finds that it is not theirs to send.
          $unset: { [`${path}.nextAttemptAt`]: 1, [`${path}.claim`]: 1 },
        },
        { session },
      );
      await tellCancelled(this.deps.outbox, session, channel, found);
      stopped[channel] = found.length;
    }
    return stopped;
  }
}
