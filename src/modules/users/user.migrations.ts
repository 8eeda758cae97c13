import { type Migration } from '../../core/database/migrations.js';
import { keysOf, type User } from './user.model.js';

/** Users made before there was a directory get the keys that it finds them by. */
const directoryKeys: Migration = {
  id: '0001-directory-keys-of-users',
  async up(database) {
    const users = database.collection<User>('users');
    // Each one leaves the set by being written, so a second run goes on where the first was killed.
    for await (const user of users.find({ keys: { $exists: false } })) {
      await users.updateOne({ _id: user._id }, { $set: { keys: keysOf(user) } });
    }
  },
};

/** Users who had said where they are before anyone was found by that. */
const locationKeys: Migration = {
  id: '0004-location-keys-of-users',
  async up(database) {
    const users = database.collection<User>('users');
    for await (const user of users.find({ location: { $type: 'string' }, 'keys.locations': { $exists: false } })) {
      await users.updateOne({ _id: user._id }, { $set: { keys: keysOf(user) } });
    }
  },
};

export const userMigrations = [directoryKeys, locationKeys];
