import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What a backup consists of. It is written last: a folder without it holds an unfinished one. */
export interface Manifest {
  format: 1;
  /** Of the product that made it. */
  version: string;
  database: string;
  /** All of it is as it was at this moment, or a little later. */
  at: string;
  /** The changes of stored data that had been made. */
  migrations: string[];
  collections: SavedCollection[];
}

export interface SavedCollection {
  name: string;
  documents: number;
  /** Of its file. */
  sha256: string;
}

const MANIFEST = 'manifest.json';

export const manifestPath = (folder: string): string => join(folder, MANIFEST);

/** Documents one after the other, as BSON, compressed: the form that `mongodump --gzip` writes and `mongorestore` reads. */
export const filePath = (folder: string, collection: string): string => join(folder, `${collection}.bson.gz`);

/**
 * Reads a manifest, and every file that it names against it.
 * @throws Error where something is missing or was changed
 */
export async function readChecked(folder: string): Promise<Manifest> {
  const text = await readFile(manifestPath(folder), 'utf8').catch((error: unknown) => {
    throw new Error(`${folder} holds no finished backup: it has no ${MANIFEST}`, { cause: error });
  });
  const manifest = JSON.parse(text) as Manifest;
  // Another form would have another number, which this program cannot know.
  if ((manifest.format as number) !== 1)
    throw new Error(`the backup has the form ${manifest.format}, which is unknown`);
  for (const { name, sha256 } of manifest.collections) {
    const digest = createHash('sha256');
    await pipeline(createReadStream(filePath(folder, name)), digest);
    if (digest.digest('hex') !== sha256) throw new Error(`the file of ${name} is not as it was written`);
  }
  return manifest;
}
