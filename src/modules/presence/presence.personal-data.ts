import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedObject, type PersonalData } from '../../core/personal-data.js';
import { type Presence, presenceCollection } from './presence.model.js';

/** When someone was last here, and what they have chosen to be seen as. */
export function presenceData({ database }: { database: Database }): PersonalData {
  const presences = database.collection<Presence>(presenceCollection.name);
  return {
    name: 'presence',
    collections: [presenceCollection.name],
    async *export(userId) {
      const presence = await presences.findOne({ _id: new ObjectId(userId) });
      if (!presence) return;
      const { state, choice, lastSeenAt } = presence;
      yield exportedObject('presence', { state, ...(choice && { choice }), ...(lastSeenAt && { lastSeenAt }) });
    },
    async erase(userId) {
      await presences.deleteOne({ _id: new ObjectId(userId) });
    },
  };
}
