import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { BSON, type Db } from 'mongodb';
import { type Log } from '../../observability/log.js';
import { type Database } from '../database.js';
import { isOfThisServer, type Migration, MIGRATIONS } from '../migrations.js';
import { filePath, type Manifest, readChecked } from './manifest.js';

export interface RestoreOptions {
  database: Database;
  folder: string;
  /** Those that this version knows: what a later one has written cannot be understood. */
  migrations: readonly Migration[];
  log: Log;
}

const MOST_DOCUMENTS = 1_000;
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Writes a backup into an empty database, without indexes: migrations make these.
 * @throws Error where the database holds something, the backup is damaged, or a later version made it; then nothing
 *   was written
 */
export async function restore({ database, folder, migrations, log }: RestoreOptions): Promise<Manifest> {
  const { db } = database;
  await refuseUnlessEmpty(db);
  const manifest = await readChecked(folder);
  const known = new Set(migrations.map(({ id }) => id));
  const unknown = manifest.migrations.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new Error(`the backup was made by version ${manifest.version}, which is newer: ${unknown.join(', ')}`);
  }
  for (const { name, documents } of manifest.collections) {
    const written = await load(db, folder, name);
    if (written !== documents) throw new Error(`${name} has ${written} documents instead of ${documents}`);
    log.info({ collection: name, documents }, 'restore: a collection is back');
  }
  return manifest;
}

async function refuseUnlessEmpty(db: Db): Promise<void> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  if (names.length > 0) {
    throw new Error(
      `the database ${db.databaseName} is not empty: it has ${names.length} collections. Name another one`,
    );
  }
}

/** Answers with how many documents there were. */
async function load(db: Db, folder: string, name: string): Promise<number> {
  let count = 0;
  for await (const batch of batches(documentsIn(filePath(folder, name)))) {
    count += batch.length;
    // Numbers keep the types in which they were stored.
    const documents = batch.map((bytes) => BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true }));
    const kept = name === MIGRATIONS ? documents.filter((row) => !isOfThisServer(String(row['_id']))) : documents;
    if (kept.length > 0) await db.collection(name).insertMany(kept, { ordered: false, ignoreUndefined: false });
  }
  return count;
}

/** Each document begins with its length. */
async function* documentsIn(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path).pipe(createGunzip()) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    while (rest.length - start >= 4) {
      const end = start + rest.readInt32LE(start);
      if (end > rest.length) break;
      yield rest.subarray(start, end);
      start = end;
    }
    rest = rest.subarray(start);
  }
  if (rest.length > 0) throw new Error(`${path} ends in the middle of a document`);
}

async function* batches(documents: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const document of documents) {
    batch.push(document);
    bytes += document.length;
    if (batch.length < MOST_DOCUMENTS && bytes < MOST_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
