import { type Database } from '../../core/database/database.js';
import { type Migration } from '../../core/database/migrations.js';
import { foregroundUsers } from './foreground/foreground.model.js';
import { inboxCollection } from './inbox.model.js';
import { type Notification } from './notification.model.js';
import { OUTSIDE_CHANNELS, UNREAD } from './notification.types.js';

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

/** Indexes whose work others with longer keys do now would only cost writes. */
const formerIndexes: Migration = {
  id: '0006-former-indexes-of-notifications',
  async up(database: Database) {
    const notifications = database.collection<Notification>('notifications');
    const former = ['batchId_1', ...OUTSIDE_CHANNELS.map((channel) => `channels.${channel}.nextAttemptAt_1`)];
    for (const { name } of await notifications.indexes()) {
      if (name !== undefined && former.includes(name)) await notifications.dropIndex(name);
    }
  },
};

/** Nodes are registered elsewhere now; of those that were, nothing is true any more. */
const formerNodes: Migration = {
  id: '0007-former-nodes-of-foreground',
  async up({ db }: Database) {
    const name = 'foregroundNodes';
    if (await db.listCollections({ name }, { nameOnly: true }).hasNext()) await db.dropCollection(name);
    await db.collection(foregroundUsers.name).deleteMany({});
  },
};

export const notificationMigrations = [inboxesOfUsers, formerIndexes, formerNodes];
