import { type Collection, ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict, notFound } from '../../core/http/problem.js';
import { type Storage } from '../../core/storage/storage.js';
import { type Media, mediaCollection, type MediaFile, mediaFolder, mediaKey, type MediaType } from './media.model.js';
import { prepare } from './media.preparation.js';
import { removeMedia } from './media.removal.js';
import { UNUSED_FOR_MS } from './media.review.js';

export interface MediaDeps {
  database: Database;
  storage: Storage;
  outbox: Outbox;
  clock: Clock;
}

export interface Upload {
  type: MediaType;
  file: Buffer;
  /** What its owner calls it. */
  name: string;
  altText?: string | undefined;
}

/** What users upload, and do with it as long as it is theirs alone. */
export class MediaService {
  private readonly media: Collection<Media>;

  constructor(private readonly deps: MediaDeps) {
    this.media = deps.database.collection(mediaCollection.name);
  }

  /**
   * Keeps what was uploaded. If nothing comes to refer to it, or the process dies on the way, it is removed in a day.
   * @throws Problem 413 `FILE_TOO_LARGE`, 415 `UNSUPPORTED_IMAGE`, `UNSUPPORTED_DOCUMENT`, 422 `IMAGE_UNREADABLE`,
   *   `DOCUMENT_UNREADABLE`
   */
  async upload(ownerId: string, { type, file, name, altText }: Upload): Promise<Media> {
    const { storage, clock } = this.deps;
    const { facts, files } = await prepare(type, file, name);
    const createdAt = clock.now();
    const media: Media = {
      _id: new ObjectId(),
      ownerId: new ObjectId(ownerId),
      type,
      status: 'PROCESSING',
      ...facts,
      ...(altText !== undefined && { altText }),
      uses: [],
      reviewAt: later(createdAt, UNUSED_FOR_MS),
      createdAt,
    };
    await this.media.insertOne(media);
    for (const [key, content] of Object.entries(files)) await storage.put(mediaKey(media, key as MediaFile), content);
    const ready = await this.media.findOneAndUpdate(
      { _id: media._id, status: 'PROCESSING' },
      { $set: { status: 'READY' } },
      { returnDocument: 'after' },
    );
    if (ready) return ready;
    // Its owner was erased meanwhile.
    await storage.removeAll(mediaFolder(ownerId, media._id.toHexString()));
    throw notFound('MEDIA_NOT_FOUND');
  }

  /** One of the user's own. */
  async find(ownerId: string, id: string): Promise<Media | undefined> {
    const found = await this.media.findOne({ ...ownBy(ownerId, id), status: 'READY' });
    return found ?? undefined;
  }

  /**
   * Removes one of the user's own.
   * @throws Problem 404 `MEDIA_NOT_FOUND`, 409 `MEDIA_IN_USE` as long as it is attached to something
   */
  async remove(ownerId: string, id: string): Promise<void> {
    // Whoever attaches it at this moment either has done so, or does not find it any more.
    if (await removeMedia(this.deps, { ...ownBy(ownerId, id), status: 'READY', uses: [] })) return;
    if (await this.find(ownerId, id)) throw conflict('MEDIA_IN_USE', 'It is attached to something.');
    throw notFound('MEDIA_NOT_FOUND');
  }

  /** A file of a medium that is still there, for whoever has a link to it. */
  async read(id: string, file: MediaFile): Promise<{ media: Media; content: Buffer } | undefined> {
    const media = await this.media.findOne({ _id: new ObjectId(id), status: 'READY' });
    const content = media ? await this.deps.storage.get(mediaKey(media, file)) : undefined;
    return media && content ? { media, content } : undefined;
  }
}

function ownBy(ownerId: string, id: string): Pick<Media, '_id' | 'ownerId'> {
  return { _id: new ObjectId(id), ownerId: new ObjectId(ownerId) };
}
