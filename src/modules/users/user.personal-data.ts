import { type Database } from '../../core/database/database.js';
import { exportedObject, type PersonalData } from '../../core/personal-data.js';
import { type Storage } from '../../core/storage/storage.js';
import { PICTURES, pictureKey, type PictureKind } from './picture.js';
import { ObjectId } from 'mongodb';
import { type User } from './user.model.js';
import { presentUser } from './user.presenter.js';

/** The account, the profile and every file kept below the user's id. */
export function userData({ database, storage }: { database: Database; storage: Storage }): PersonalData {
  return {
    name: 'account',
    collections: ['users'],
    async *export(userId) {
      const user = await database.collection<User>('users').findOne({ _id: new ObjectId(userId) });
      if (!user) return;
      yield exportedObject('account', {
        ...presentUser(user, { id: userId, role: user.role, sessionId: '' }),
        ...(user.emailVerifiedAt != null && { emailVerifiedAt: user.emailVerifiedAt }),
        updatedAt: user.updatedAt,
      });
      for (const kind of Object.keys(PICTURES) as PictureKind[]) {
        const name = user[kind]?.name;
        const content = name === undefined ? undefined : await storage.get(pictureKey(userId, name));
        if (content) yield { file: `pictures/${kind}.webp`, content };
      }
    },
    /** The account's own document is the record of what is done, and goes when all is. */
    erase: (userId) => storage.removeAll(userId),
  };
}
