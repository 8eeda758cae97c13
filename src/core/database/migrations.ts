import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type ClientSession, type Collection, type Db, type IndexDescription, MongoServerError } from 'mongodb';
import pLimit from 'p-limit';
import { type Log } from '../observability/log.js';
import { type CollectionDefinition } from './collections.js';
import { type Database } from './database.js';
import { Lease, type LeaseRow } from './lease.js';

/** A change of stored data. It runs once, under the lock, before anything serves. */
export interface Migration {
  /** `0001-what-it-does`: the order is that of the names, and the name is never used again. */
  id: string;
  /** Must be resumable: it may be killed at any point and is then run again from its start. */
  up(database: Database): Promise<void>;
}

interface MigrationRow extends Partial<LeaseRow> {
  _id: string;
  hash?: string;
  at?: Date;
}

export interface MigrateOptions {
  database: Database;
  owner: string;
  collections: readonly CollectionDefinition[];
  migrations: readonly Migration[];
  log: Log;
}

/** The collection of what has been done. */
export const MIGRATIONS = 'migrations';
const LOCK_MS = 30_000;
const NAMESPACE_EXISTS = 48;
/** Rows beside those of migrations: which collections and indexes there are, and who is making them. */
const STRUCTURE = 'structure';
const LOCK = 'lock';
/** Collections that are made at a time. */
const AT_ONCE = 4;

/**
 * Brings the database to the shape this version needs: every collection and index, then the data migrations that
 * have not run. One process at a time does it; the others wait and find it done. This is the only place where
 * collections and indexes are made, so that no two clients ever create the same one at once.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const rows = options.database.collection<MigrationRow>(MIGRATIONS);
  if (await isUpToDate(options)) return;
  await createMigrations(options.database);
  const lock = new Lease({
    db: options.database.db,
    rows: rows as unknown as Collection<LeaseRow>,
    id: LOCK,
    owner: options.owner,
    ttlMs: LOCK_MS,
  });
  while (!(await lock.tryAcquire())) await pause(100);
  lock.keepRenewed(() => options.log.error('migrations: the lock was lost'));
  try {
    await ensureStructure(rows, options);
    await runPending(rows, options);
  } finally {
    await lock.release();
  }
}

/**
 * The lock lives in a collection, which nothing can lock the creation of. Servers bear its being created twice at
 * once, but the Windows build under Wine may crash: so each process makes one of its own, and the first to rename it
 * has made the collection.
 */
async function createMigrations({ db }: Database): Promise<void> {
  const exists = () => db.listCollections({ name: MIGRATIONS }, { nameOnly: true }).hasNext();
  if (await exists()) return;
  const own = await db.createCollection(`${MIGRATIONS}-${randomUUID()}`);
  try {
    await own.rename(MIGRATIONS);
  } catch (error) {
    await own.drop();
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
  }
}

/** Whether nothing is left to be done. */
export async function isUpToDate({ database, collections, migrations }: MigrateOptions): Promise<boolean> {
  const rows = database.collection<MigrationRow>(MIGRATIONS);
  const done = await rows.find({ _id: { $in: [STRUCTURE, ...migrations.map(({ id }) => id)] } }).toArray();
  const structure = done.find(({ _id }) => _id === STRUCTURE);
  return structure?.hash === hashOf(collections) && done.length === migrations.length + 1;
}

async function ensureStructure(rows: Collection<MigrationRow>, options: MigrateOptions): Promise<void> {
  const { database, collections, log } = options;
  const hash = hashOf(collections);
  if ((await rows.findOne({ _id: STRUCTURE }))?.hash === hash) return;
  const existing = new Set(
    (await database.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name),
  );
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    collections.map((collection) => limit(() => ensureCollection(database, collection, existing.has(collection.name)))),
  );
  await rows.updateOne({ _id: STRUCTURE }, { $set: { hash, at: new Date() } }, { upsert: true });
  log.info({ collections: collections.length }, 'migrations: collections and indexes are in place');
}

/**
 * In as few commands as can be. None waits for the majority: the row written after all of them does, and what a
 * majority has of it they have of everything before.
 */
async function ensureCollection(
  { db }: Database,
  { name, indexes, cappedBytes }: CollectionDefinition,
  exists: boolean,
): Promise<void> {
  const writeConcern = { w: 1 };
  const descriptions = indexes.map(({ key, options }): IndexDescription => ({ ...options, key }));
  // Making an index makes its collection, too.
  if (!exists && (cappedBytes !== undefined || descriptions.length === 0)) {
    await db.createCollection(name, {
      writeConcern,
      ...(cappedBytes !== undefined && { capped: true, size: cappedBytes }),
    });
  }
  if (descriptions.length > 0) await db.collection(name, { writeConcern }).createIndexes(descriptions);
}

async function runPending(
  rows: Collection<MigrationRow>,
  { database, migrations, log }: MigrateOptions,
): Promise<void> {
  for (const migration of [...migrations].sort((a, b) => a.id.localeCompare(b.id))) {
    if (await rows.findOne({ _id: migration.id })) continue;
    await migration.up(database);
    await rows.insertOne({ _id: migration.id, at: new Date() });
    log.info({ migration: migration.id }, 'migrations: done');
  }
}

/** Whether a row says something of this server only, and not of the data: a copy elsewhere needs its own. */
export function isOfThisServer(id: string): boolean {
  return id === STRUCTURE || id === LOCK || id.startsWith(`${LOCK}/`);
}

/** The data migrations that have been done. */
export async function appliedMigrations(db: Db, session?: ClientSession): Promise<string[]> {
  const rows = await db
    .collection<MigrationRow>(MIGRATIONS)
    .find({}, session && { session })
    .sort({ _id: 1 })
    .toArray();
  return rows.map(({ _id }) => _id).filter((id) => !isOfThisServer(id));
}

function hashOf(collections: readonly CollectionDefinition[]): string {
  return createHash('sha256').update(JSON.stringify(collections)).digest('hex');
}
