import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type Storage } from '../../core/storage/storage.js';
import { type Media, mediaCollection, mediaKey } from './media.model.js';

/** What a user has uploaded, with its files. */
export function mediaData({ database, storage }: { database: Database; storage: Storage }): PersonalData {
  const media: Collection<Media> = database.collection(mediaCollection.name);
  return {
    name: 'media',
    collections: [mediaCollection.name],
    async *export(userId) {
      const own = { ownerId: new ObjectId(userId), status: 'READY' as const };
      yield* exportedList('media', media.find(own), ({ _id, type, name, altText, createdAt }) => ({
        id: _id.toHexString(),
        type,
        ...(name !== undefined && { name }),
        ...(altText !== undefined && { altText }),
        createdAt,
      }));
      for await (const each of media.find(own)) {
        const content = await storage.get(mediaKey(each, 'file'));
        // Removed since.
        if (content) yield { file: `media/${each._id.toHexString()}.${endingOf(each)}`, content };
      }
    },
    async erase(userId) {
      // First: an upload that is under way finds out, and removes what it has kept.
      await media.deleteMany({ ownerId: new ObjectId(userId) });
      await storage.removeAll(`${userId}/media`);
    },
  };
}

function endingOf({ name }: Media): string {
  return name === undefined ? 'webp' : (name.split('.').at(-1) ?? '');
}
