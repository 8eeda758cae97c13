import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type ClientSession, type Db, type MongoClient } from 'mongodb';
import { type Log } from '../../observability/log.js';
import { appliedMigrations } from '../migrations.js';
import { filePath, type Manifest, manifestPath, type SavedCollection } from './manifest.js';

export interface BackupOptions {
  client: MongoClient;
  /** Made if missing; must be empty. */
  folder: string;
  /** Of the product. */
  version: string;
  log: Log;
}

/**
 * Writes the database of the client's address into a folder, all of it as it was at one moment, while others go on
 * writing. The server keeps the past for five minutes, unless it is told otherwise (`minSnapshotHistoryWindowInSeconds`):
 * what takes longer to read fails.
 * @throws Error where the folder holds something, or the server no longer knows the moment
 */
export async function backUp({ client, folder, version, log }: BackupOptions): Promise<Manifest> {
  // What it holds is for nobody else on the machine.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty: a backup needs a folder of its own`);
  const db = client.db();
  const session = client.startSession({ snapshot: true });
  try {
    const at = new Date().toISOString();
    // Before anything else is read, which fixes the moment.
    const names = await lastingCollections(db);
    const migrations = await appliedMigrations(db, session);
    const collections: SavedCollection[] = [];
    for (const name of names) {
      const saved = await save(db, session, folder, name);
      log.info({ collection: name, documents: saved.documents }, 'backup: a collection is saved');
      collections.push(saved);
    }
    const manifest: Manifest = { format: 1, version, database: db.databaseName, at, migrations, collections };
    await writeFile(manifestPath(folder), `${JSON.stringify(manifest, undefined, 2)}\n`, {
      flag: 'wx',
      flush: true,
      mode: 0o600,
    });
    return manifest;
  } finally {
    await session.endSession();
  }
}

/** All but those of the server, and those that keep only the newest: nobody needs these a day later. */
async function lastingCollections(db: Db): Promise<string[]> {
  const all = await db.listCollections({ type: 'collection' }, { nameOnly: false }).toArray();
  return all
    .filter(({ name, options }) => !name.startsWith('system.') && options?.['capped'] !== true)
    .map(({ name }) => name)
    .sort();
}

async function save(db: Db, session: ClientSession, folder: string, name: string): Promise<SavedCollection> {
  // As they come from the server: nothing of them is understood, so nothing can be misunderstood.
  const cursor = db.collection(name).find<Buffer>({}, { session, raw: true });
  let documents = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const document of cursor) {
      documents += 1;
      yield document;
    }
  }
  const digest = createHash('sha256');
  async function* digested(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      digest.update(chunk);
      yield chunk;
    }
  }
  const file = createWriteStream(filePath(folder, name), { flags: 'wx', flush: true, mode: 0o600 });
  await pipeline(counted(), createGzip(), digested, file);
  return { name, documents, sha256: digest.digest('hex') };
}
