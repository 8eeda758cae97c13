import { type ObjectId } from 'mongodb';
import { type Migration } from '../../core/database/migrations.js';
import { settingsCollection, type StoredSettings } from './settings.model.js';

/** Users who chose before the directory respected it who may view their profile. */
const profileAudiences: Migration = {
  id: '0002-profile-audiences-of-users',
  async up(database) {
    const settings = database.collection<StoredSettings>(settingsCollection.name);
    const users = database.collection<{ _id: ObjectId; profileAudience?: string }>('users');
    // Says the same each time, so a second run may begin at the first again.
    for await (const { _id, viewProfile } of settings.find({ viewProfile: { $in: ['connections', 'nobody'] } })) {
      if (viewProfile) await users.updateOne({ _id }, { $set: { profileAudience: viewProfile } });
    }
  },
};

export const privacyMigrations = [profileAudiences];
