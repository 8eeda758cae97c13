import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type Identity, identityCollection } from './oauth.models.js';

/** The accounts elsewhere that a user signs in with. */
export function oauthData({ database }: { database: Database }): PersonalData {
  const identities = database.collection<Identity>(identityCollection.name);
  return {
    name: 'identities',
    collections: [identityCollection.name],
    export: (userId) =>
      exportedList(
        'identities',
        identities.find({ userId: new ObjectId(userId) }),
        ({ provider, subject, email, linkedAt, lastSignInAt }) => ({
          provider,
          subject,
          ...(email !== undefined && { email }),
          linkedAt,
          lastSignInAt,
        }),
      ),
    async erase(userId) {
      await identities.deleteMany({ userId: new ObjectId(userId) });
    },
  };
}
