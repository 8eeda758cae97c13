import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type UserService } from '../users/index.js';
import { type Block, blockCollection } from './block.model.js';

/** Whom a user has blocked. By whom they are blocked is told to nobody, but erased as well. */
export function blockData({ database, users }: { database: Database; users: UserService }): PersonalData {
  const blocks = database.collection<Block>(blockCollection.name);
  return {
    name: 'blocks',
    collections: [blockCollection.name],
    async *export(userId) {
      const found = await blocks.find({ blockerId: new ObjectId(userId) }).toArray();
      const people = await users.summaries(found.map(({ blockedId }) => blockedId.toHexString()));
      yield* exportedList('blocks', found, ({ blockedId, createdAt }) => {
        const id = blockedId.toHexString();
        return { user: { id, name: people.get(id)?.name ?? 'Deleted user' }, createdAt };
      });
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      await blocks.deleteMany({ $or: [{ blockerId: own }, { blockedId: own }] });
    },
  };
}
