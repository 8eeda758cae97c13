import { type Database } from '../../../core/database/database.js';
import { nothingToExport, type PersonalData } from '../../../core/personal-data.js';
import { type Announcement, announcementCollection } from './announcement.model.js';

/** Announcements tell of a user only where one names them; what users got of them is among their notifications. */
export function announcementData({ database }: { database: Database }): PersonalData {
  const announcements = database.collection<Announcement>(announcementCollection.name);
  return {
    name: 'announcements',
    collections: [announcementCollection.name],
    export: nothingToExport,
    async erase(userId) {
      // Without an index: there are few of them.
      for (const path of ['audience.userIds', 'audience.exclude.userIds'] as const) {
        await announcements.updateMany({ [path]: userId }, { $pull: { [path]: userId } });
      }
      // One that was for this user alone may well address them by name.
      await announcements.deleteMany({ 'audience.userIds': { $size: 0 } });
    },
  };
}
