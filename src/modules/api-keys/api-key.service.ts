import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { type Clock, later, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, notFound, unauthorized } from '../../core/http/problem.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { type Actor } from '../../core/http/route.js';
import { apiKeyCreated, apiKeyRevoked } from './api-key.events.js';
import { type ApiKey, apiKeyCollection, type Scope } from './api-key.model.js';

/** What every key begins with, so that people and scanners of leaked secrets know it for one. */
const PREFIX = 'atrium_';
const PATTERN = /^atrium_([0-9a-f]{24})_([\w-]{43})$/;
const SECRET_BYTES = 32;

export interface NewApiKey {
  name: string;
  scopes: Scope[];
  expiresAt?: Date | undefined;
}

export interface ApiKeyDeps {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
}

/** Keys by which partner systems use the API, in the name of nobody. */
export class ApiKeyService {
  private readonly keys: Collection<ApiKey>;

  constructor(private readonly deps: ApiKeyDeps) {
    this.keys = deps.database.collection(apiKeyCollection.name);
  }

  /**
   * Issues a key; only this once can it be read.
   * @throws Problem 400 `ALREADY_EXPIRED`
   */
  async issue(actor: Actor, { name, scopes, expiresAt }: NewApiKey): Promise<{ apiKey: ApiKey; key: string }> {
    const { database, outbox, clock } = this.deps;
    const now = clock.now();
    if (expiresAt && expiresAt <= now) throw badRequest('ALREADY_EXPIRED', 'The key would have ended already.');
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const apiKey: ApiKey = {
      _id: new ObjectId(),
      name,
      scopes: [...new Set(scopes)],
      hash: hashOf(secret).toString('base64url'),
      createdBy: new ObjectId(actor.id),
      createdAt: now,
      ...(expiresAt && { expiresAt }),
    };
    const keyId = apiKey._id.toHexString();
    await database.inTransaction(async (session) => {
      await this.keys.insertOne(apiKey, { session });
      await outbox.record(session, apiKeyCreated, {
        actorId: actor.id,
        entity: { kind: 'apiKey', id: keyId },
        data: { keyId, scopes: apiKey.scopes },
      });
    });
    return { apiKey, key: `${PREFIX}${keyId}_${secret}` };
  }

  /** All keys, revoked ones too, the newest first. */
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<ApiKey>> {
    const sort = [['_id', -1]] as const;
    return this.deps.pager.page<ApiKey>({ collection: this.keys, filter: {}, sort, scope: 'api keys', ...page });
  }

  /**
   * Takes a key back; from the next request on it is good for nothing.
   * @throws Problem 404 `API_KEY_NOT_FOUND` where there is none, or it was revoked before
   */
  async revoke(actor: Actor, keyId: string): Promise<void> {
    const { database, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const { matchedCount } = await this.keys.updateOne(
        { _id: new ObjectId(keyId), revokedAt: { $exists: false } },
        { $set: { revokedAt: clock.now() } },
        { session },
      );
      if (matchedCount === 0) throw notFound('API_KEY_NOT_FOUND', 'There is no such key.');
      await outbox.record(session, apiKeyRevoked, {
        actorId: actor.id,
        entity: { kind: 'apiKey', id: keyId },
        data: { keyId },
      });
    });
  }

  /** Whether a bearer token is meant as a key: an access token never looks like one. */
  isKey(token: string): boolean {
    return token.startsWith(PREFIX);
  }

  /**
   * Tells which partner a key speaks for. It is read each time, so that revoking it takes effect at once.
   * @throws Problem 401 `TOKEN_INVALID` where it is malformed, unknown, expired or revoked
   */
  async authenticate(key: string): Promise<Actor> {
    const [, id, secret] = PATTERN.exec(key) ?? [];
    const apiKey = id === undefined ? null : await this.keys.findOne({ _id: new ObjectId(id) });
    const now = this.deps.clock.now();
    const isGood =
      apiKey !== null &&
      timingSafeEqual(hashOf(secret ?? ''), Buffer.from(apiKey.hash, 'base64url')) &&
      apiKey.revokedAt === undefined &&
      (apiKey.expiresAt === undefined || apiKey.expiresAt > now);
    if (!isGood) throw unauthorized('TOKEN_INVALID', 'The API key is not valid.');
    await this.noteUse(apiKey, now);
    return { id: apiKey._id.toHexString(), role: 'partner', sessionId: '', scopes: apiKey.scopes };
  }

  /** Once a minute is enough to know whether a key is still in use. */
  private async noteUse({ _id, lastUsedAt }: ApiKey, now: Date): Promise<void> {
    if (lastUsedAt && later(lastUsedAt, MINUTE) > now) return;
    await this.keys.updateOne({ _id }, { $max: { lastUsedAt: now } });
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
