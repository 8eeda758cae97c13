import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedObject, type PersonalData } from '../../core/personal-data.js';
import { complete, settingsCollection, type StoredSettings } from './settings.model.js';

/** Who may do what with a user. */
export function settingsData({ database }: { database: Database }): PersonalData {
  const settings = database.collection<StoredSettings>(settingsCollection.name);
  return {
    name: 'privacy settings',
    collections: [settingsCollection.name],
    async *export(userId) {
      yield exportedObject('privacy-settings', complete(await settings.findOne({ _id: new ObjectId(userId) })));
    },
    async erase(userId) {
      await settings.deleteOne({ _id: new ObjectId(userId) });
    },
  };
}
