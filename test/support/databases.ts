import { randomBytes } from 'node:crypto';
import { type Db } from 'mongodb';

/** Databases of this process that have every collection and index, and nothing in them. */
const empty: string[] = [];

/** The replica set that this process’ tests use. */
export function serverUri(): string {
  const uris = process.env['TEST_MONGODB_URIS']?.split(' ') ?? [];
  const uri = uris[Number(process.env['MOCHA_WORKER_ID'] ?? 0) % uris.length];
  if (uri === undefined) throw new Error('the global set-up starts the databases');
  return uri;
}

/** The name of a database with nothing in it. */
export function takeDatabase(): string {
  return empty.pop() ?? newDatabase();
}

/** The name of a database that does not exist yet. */
export function newDatabase(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/**
 * Empties a database for the next campus of this process: a tenth of the work of making its collections and indexes
 * anew. What migrations have written stays, and with it their word that there is nothing to do.
 */
export async function giveBackDatabase(db: Db): Promise<void> {
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  const emptied = collections
    .filter(({ name }) => name !== 'migrations' && !name.startsWith('system.'))
    .map(({ name }) => db.collection(name, { writeConcern: { w: 1 } }).deleteMany({}));
  await Promise.all(emptied);
  empty.push(db.databaseName);
}
