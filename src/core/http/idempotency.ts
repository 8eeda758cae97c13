import { createHash } from 'node:crypto';
import { type Clock, DAY, later } from '../clock.js';
import { type CollectionDefinition } from '../database/collections.js';
import { type Database } from '../database/database.js';
import { isDuplicateKey } from '../database/errors.js';
import { createVault, type Vault } from '../security/vault.js';
import { badRequest, conflict } from './problem.js';

/** An answer as it was sent: its status and its body as JSON, absent where nothing was sent. */
export interface StoredAnswer {
  status: number;
  body?: string;
}

/** A request that carries an `Idempotency-Key`. */
export interface KeyedRequest {
  key: string;
  /** Whose key it is. */
  subject: string;
  method: string;
  path: string;
  /** What was asked for, as parsed. */
  input: object;
}

export interface Idempotency {
  /**
   * Runs `work` once for all requests with the same key, and answers the others as the first. It runs in a
   * transaction, possibly more than once, so it must not touch anything but the database; where it throws, the
   * key stays unused.
   * @throws Problem 409 `IDEMPOTENCY_KEY_REUSED` where the key was used with another input
   */
  run(request: KeyedRequest, work: () => Promise<StoredAnswer>): Promise<StoredAnswer & { replayed: boolean }>;
}

interface KeyRow {
  _id: string;
  expiresAt: Date;
  /** What was asked and answered, readable only by who has the key that the client sent. */
  sealed?: string;
}

interface Kept {
  inputHash: string;
  answer: StoredAnswer;
}

/** A request, hashed, and how to read and write what is kept of it. */
interface Claim {
  row: KeyRow;
  inputHash: string;
  vault: Vault;
}

/** Used keys and the answers they got. Answers may hold tokens, so they are stored encrypted. */
export const idempotencyCollection: CollectionDefinition = {
  name: 'idempotencyKeys',
  // A key is kept for a day.
  indexes: [{ key: { expiresAt: 1 }, options: { expireAfterSeconds: 0 } }],
};

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/** @throws Problem 400 where the header is not 1 to 255 visible ASCII characters */
export function checkIdempotencyKey(key: string): void {
  if (VISIBLE.test(key)) return;
  throw badRequest('INVALID_IDEMPOTENCY_KEY', 'An Idempotency-Key has 1 to 255 visible ASCII characters.');
}

export interface IdempotencyOptions {
  database: Database;
  clock: Clock;
  /** Encrypt what is kept, together with the key of the client: the first writes, all of them read. */
  keys: readonly { secret: Buffer }[];
}

export function createIdempotency({ database, clock, keys }: IdempotencyOptions): Idempotency {
  const secrets = keys.map(({ secret }) => secret);
  const rows = database.collection<KeyRow>(idempotencyCollection.name);

  async function first({ row, inputHash, vault }: Claim, work: () => Promise<StoredAnswer>): Promise<StoredAnswer> {
    return database.inTransaction(async (session) => {
      // The very first write: a second request with the same key conflicts here, before it has done anything, and
      // is tried again by the driver until it sees this one committed or gone.
      await rows.insertOne({ ...row }, { session });
      const answer = await work();
      const kept: Kept = { inputHash, answer };
      await rows.updateOne({ _id: row._id }, { $set: { sealed: vault.seal(JSON.stringify(kept)) } }, { session });
      return answer;
    });
  }

  async function earlier({ row, inputHash, vault }: Claim): Promise<StoredAnswer | undefined> {
    const found = await rows.findOne({ _id: row._id }, { readConcern: { level: 'majority' } });
    if (!found) return undefined;
    if (found.expiresAt <= clock.now()) {
      // The database removes what has expired only once a minute.
      await rows.deleteOne({ _id: row._id, expiresAt: found.expiresAt });
      return undefined;
    }
    const opened = found.sealed && vault.open(found.sealed);
    if (opened === undefined) {
      // Done it was, so it must not be done again, even if the server's key of that time has been withdrawn.
      throw conflict('IDEMPOTENT_ANSWER_LOST', 'This request was carried out, but its answer can no longer be read.');
    }
    const kept = JSON.parse(opened) as Kept;
    if (kept.inputHash !== inputHash) {
      throw conflict('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used with another request.');
    }
    return kept.answer;
  }

  return {
    async run(request, work) {
      const id = hash([request.subject, request.method, request.path, request.key]);
      const claim: Claim = {
        row: { _id: id, expiresAt: later(clock.now(), DAY) },
        inputHash: hash(request.input),
        vault: createVault({ secrets, password: request.key, purpose: `idempotency ${id}` }),
      };
      for (;;) {
        try {
          return { ...(await first(claim, work)), replayed: false };
        } catch (error) {
          if (!isOwnDuplicate(error, id)) throw error;
        }
        // Not there after all where it has just expired, or is not yet held by a majority: then the loop goes on.
        const stored = await earlier(claim);
        if (stored) return { ...stored, replayed: true };
      }
    },
  };
}

/** Whether the key itself was taken, and not something that `work` wanted to insert. */
function isOwnDuplicate(error: unknown, id: string): boolean {
  if (!isDuplicateKey(error)) return false;
  const { keyValue } = error.errorResponse;
  return (keyValue as { _id?: unknown } | undefined)?._id === id;
}

function hash(value: object): string {
  return createHash('sha256').update(canonical(value)).digest('base64url');
}

/** JSON with sorted keys: the same content in another order is the same request. */
function canonical(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
