/**
 * Provides the mongod of the embedded database without starting it, to warm the cache in an image or on a CI machine.
 * Prints its path on standard output, the steps on standard error. `MONGOMS_SYSTEM_BINARY` takes that path.
 */
import { pino } from 'pino';
import { findMongod } from '../src/core/database/embedded/find-mongod.js';

const log = pino({ base: null, timestamp: false }, pino.destination({ fd: 2, sync: true }));
const mongod = await findMongod({ log, fallbackAllowed: process.env['ATRIUM_MONGOD_FALLBACK'] !== 'off' });
console.log(mongod.path);
