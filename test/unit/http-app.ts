import { randomBytes } from 'node:crypto';
import { type Response } from 'supertest';
import express, { type Express, type Request } from 'express';
import { type CollectionDefinition } from '../../src/core/database/collections.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { type Limiter } from '../../src/core/http/limits.js';
import { errorHandler, requestId, unknownRoute } from '../../src/core/http/middleware.js';
import { type HttpServices, mountRoutes } from '../../src/core/http/mount.js';
import { unauthorized } from '../../src/core/http/problem.js';
import { type Actor, type Route } from '../../src/core/http/route.js';
import { Overload } from '../../src/core/overload.js';
import { createLog } from '../../src/core/observability/log.js';
import { serverUri } from '../support/databases.js';

/** A limiter that never refuses. */
export const noLimits: Limiter = {
  blocked: () => undefined,
  admit: () => Promise.resolve({}),
  consume: () => Promise.resolve(),
  giveBack: () => Promise.resolve(),
  check: () => Promise.resolve(),
  penalise: () => Promise.resolve(),
};

/** An app of nothing but these routes. `Bearer amal` is the user amal, `Bearer amal.admin` the same as an admin. */
export function appOf(routes: Route[], overrides: Partial<HttpServices> = {}): Express {
  const log = createLog('silent');
  const app = express();
  app.use(requestId());
  app.use(
    '/api/v1',
    mountRoutes(routes, {
      authenticate,
      limiter: noLimits,
      idempotency: { run: async (_request, work) => ({ ...(await work()), replayed: false }) },
      overload: new Overload({ aimMs: 0 }),
      checkAnswers: true,
      log,
      ...overrides,
    }),
  );
  app.use(unknownRoute(), errorHandler(log));
  return app;
}

function authenticate(request: Request): Promise<Actor | undefined> {
  const [, token] = request.get('Authorization')?.split(' ') ?? [];
  if (token === undefined) return Promise.resolve(undefined);
  if (token === 'bad') return Promise.reject(unauthorized('TOKEN_INVALID', 'The token is not valid.'));
  const [id = '', role = 'student'] = token.split('.');
  return Promise.resolve({ id, role, sessionId: 'session' });
}

/** The JSON that was answered. */
export function bodyOf(response: Response): Record<string, unknown> {
  return response.body as Record<string, unknown>;
}

/** A database of its own on the test server, with these collections. */
export async function freshDatabase(definitions: readonly CollectionDefinition[]): Promise<Database> {
  const uri = serverUri();
  const name = `http-${randomBytes(6).toString('hex')}`;
  const database = await connectDatabase(uri.replace(/^(mongodb:\/\/[^/]+)\/?[^?]*/, `$1/${name}`));
  for (const { name: collection, indexes } of definitions) {
    await database.db.createCollection(collection);
    for (const { key, options } of indexes)
      await database.db.collection(collection).createIndex(key, options ?? {}, {});
  }
  return database;
}

/** Drops it again. */
export async function dropDatabase(database: Database): Promise<void> {
  await database.db.dropDatabase();
  await database.close();
}
