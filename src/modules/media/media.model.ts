import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const MEDIA_TYPES = ['IMAGE', 'DOCUMENT'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

export const MEDIA_STATUSES = ['PROCESSING', 'READY'] as const;
export type MediaStatus = (typeof MEDIA_STATUSES)[number];

/** The files that are kept of one: what was uploaded, brought to size, and of an image a small one. */
export const MEDIA_FILES = ['file', 'thumbnail'] as const;
export type MediaFile = (typeof MEDIA_FILES)[number];

/** Something that a user has uploaded. Its files lie in the storage, below the id of its owner. */
export interface Media {
  _id: ObjectId;
  ownerId: ObjectId;
  type: MediaType;
  /** Known before its files are kept, so that none can be left behind by a process that dies. */
  status: MediaStatus;
  /** Of the file that is kept. */
  contentType: string;
  /** Bytes of it. */
  size: number;
  /** Of an image. */
  width?: number;
  height?: number;
  /** Of a document: what its owner calls it. */
  name?: string;
  /** What an image shows, for those who do not see it. */
  altText?: string;
  /** What it is attached to, or was about to be: the review finds out. */
  uses: ObjectId[];
  /** When it is to be looked at whether any of `uses` is there. Absent once one was found. */
  reviewAt?: Date;
  createdAt: Date;
}

export const mediaCollection: CollectionDefinition = {
  name: 'media',
  indexes: [
    // All of a user's, for their export and erasure.
    { key: { ownerId: 1, _id: 1 } },
    // Those to be looked at, the longest waiting first.
    { key: { reviewAt: 1 }, options: { partialFilterExpression: { reviewAt: { $exists: true } } } },
  ],
};

/** Everything of a user is kept below the user's id. */
export function mediaFolder(ownerId: string, mediaId: string): string {
  return `${ownerId}/media/${mediaId}`;
}

/** The key of one of its files in the storage. */
export function mediaKey({ ownerId, _id }: Pick<Media, '_id' | 'ownerId'>, file: MediaFile): string {
  return `${mediaFolder(ownerId.toHexString(), _id.toHexString())}/${file}`;
}
