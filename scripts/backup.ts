/**
 * Writes the database of `MONGODB_URI` into a folder: `npm run backup -- <folder>`. What it is good for, and what to
 * use for large databases, is in docs/operations.md.
 */
import { readFileSync } from 'node:fs';
import { MongoClient } from 'mongodb';
import { readConfig } from '../src/config.js';
import { backUp } from '../src/core/database/backup/back-up.js';
import { createLog } from '../src/core/observability/log.js';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('Say where to: npm run backup -- <folder>');
const config = readConfig(process.env);
if (config.mongodbUri === undefined) throw new Error('MONGODB_URI says which database to back up');
const log = createLog(config.logLevel);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const client = await MongoClient.connect(config.mongodbUri);
try {
  const { collections, at } = await backUp({ client, folder, version, log });
  const documents = collections.reduce((sum, each) => sum + each.documents, 0);
  log.info({ folder, at, collections: collections.length, documents }, 'backup: done');
} finally {
  await client.close();
}
