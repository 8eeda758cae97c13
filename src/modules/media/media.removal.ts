import { type Filter } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Infer } from '../../core/http/schema.js';
import { type Storage } from '../../core/storage/storage.js';
import { mediaRemoved } from './media.events.js';
import { type Media, mediaCollection, mediaFolder } from './media.model.js';

/** Removes the one that is as the filter says; its files follow. @returns whether there was such a one */
export async function removeMedia(
  { database, outbox }: { database: Database; outbox: Outbox },
  filter: Filter<Media> & Pick<Media, '_id'>,
): Promise<boolean> {
  return database.inTransaction(async (session) => {
    const removed = await database.collection<Media>(mediaCollection.name).findOneAndDelete(filter, { session });
    if (!removed) return false;
    const [ownerId, mediaId] = [removed.ownerId.toHexString(), removed._id.toHexString()];
    await outbox.record(session, mediaRemoved, {
      entity: { kind: 'media', id: mediaId },
      audience: {},
      data: { ownerId, mediaId },
    });
    return true;
  });
}

/**
 * Removes the files of media that were removed. An effect outside the database: what it follows from is committed, and
 * removing twice is removing once.
 */
export function mediaFileListener(storage: Storage): Listener {
  return {
    name: 'media files',
    types: [mediaRemoved],
    async handle(events) {
      for (const { data } of events as DomainEvent<Infer<typeof mediaRemoved.schema>>[]) {
        await storage.removeAll(mediaFolder(data.ownerId, data.mediaId));
      }
    },
  };
}
