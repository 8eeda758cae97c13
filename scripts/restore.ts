/**
 * Writes a backup into the database of `MONGODB_URI`, which must be empty: `npm run restore -- <folder>`. No node may
 * use it before this has ended.
 */
import { hostname } from 'node:os';
import { collections, migrations } from '../src/collections.js';
import { readConfig } from '../src/config.js';
import { restore } from '../src/core/database/backup/restore.js';
import { connectDatabase } from '../src/core/database/database.js';
import { migrate } from '../src/core/database/migrations.js';
import { forgetTokens } from '../src/core/events/checkpoint.js';
import { createLog } from '../src/core/observability/log.js';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('Say where from: npm run restore -- <folder>');
const config = readConfig(process.env);
if (config.mongodbUri === undefined) throw new Error('MONGODB_URI says which database to restore');
const log = createLog(config.logLevel);
const database = await connectDatabase(config.mongodbUri);
try {
  const manifest = await restore({ database, folder, migrations, log });
  await forgetTokens(database);
  // Indexes, and what has changed since the version that made the backup.
  await migrate({ database, owner: `${hostname()}-restore`, collections, migrations, log });
  log.info({ folder, at: manifest.at }, 'restore: done');
} finally {
  await database.close();
}
