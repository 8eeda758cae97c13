import { type Database } from '../../core/database/database.js';
import { type Migration } from '../../core/database/migrations.js';
import { inboxCollection } from './inbox.model.js';
import { type Notification } from './notification.model.js';
import { UNREAD } from './notification.types.js';

/** Notifications written before there were inboxes are counted; positions begin after them. */
const inboxesOfUsers: Migration = {
  id: '0005-inboxes-of-users',
  async up(database: Database) {
    await database
      .collection<Notification>('notifications')
      .aggregate([
        {
          $group: {
            _id: '$userId',
            unread: { $sum: { $cond: [{ $in: ['$channels.inApp.status', UNREAD] }, 1, 0] } },
          },
        },
        { $set: { position: 1, gap: 1 } },
        // Written whole, so that a second run, after one that was killed, writes the same.
        { $merge: { into: inboxCollection.name, whenMatched: 'replace' } },
      ])
      .toArray();
  },
};

export const notificationMigrations = [inboxesOfUsers];
