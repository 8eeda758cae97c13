import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Notification } from './notification.model.js';
import { OUTSIDE_CHANNELS, WAITING_REASONS } from './notification.types.js';

/** Deliveries that wait for a better time. They are decided again when due; this makes them due. */
export class WaitingDeliveries {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: { database: Database; clock: Clock }) {
    this.notifications = deps.database.collection('notifications');
  }

  /** Has what waits for this user decided again with the next sweep, since what it waits for may have changed. */
  async decideSoon(userId: string, session?: ClientSession): Promise<void> {
    for (const channel of OUTSIDE_CHANNELS) {
      const path = `channels.${channel}`;
      await this.notifications.updateMany(
        { userId: new ObjectId(userId), [`${path}.status`]: 'pending', [`${path}.reason`]: { $in: WAITING_REASONS } },
        { $set: { [`${path}.nextAttemptAt`]: this.deps.clock.now() } },
        { ...(session && { session }) },
      );
    }
  }
}
