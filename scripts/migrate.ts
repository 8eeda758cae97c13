import { hostname } from 'node:os';
import { collections, migrations } from '../src/collections.js';
import { readConfig } from '../src/config.js';
import { connectDatabase } from '../src/core/database/database.js';
import { migrate } from '../src/core/database/migrations.js';
import { createLog } from '../src/core/observability/log.js';

/** Brings the database of `MONGODB_URI` up to this version, ahead of a rollout. Nodes would do it at start as well. */
const config = readConfig(process.env);
if (config.mongodbUri === undefined) throw new Error('MONGODB_URI says which database to migrate');
const log = createLog(config.logLevel);
const database = await connectDatabase(config.mongodbUri);
await migrate({ database, owner: `${hostname()}-migrate`, collections, migrations, log });
await database.close();
log.info('migrations: the database is up to date');
