import { createHash } from 'node:crypto';
import { type Clock, DAY, later } from '../clock.js';
import { type CollectionDefinition } from '../database/collections.js';
import { type Database } from '../database/database.js';
import { isDuplicateKey } from '../database/errors.js';
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
  inputHash: string;
  expiresAt: Date;
  answer?: StoredAnswer;
}

/** Used keys and the answers they got. */
export const idempotencyCollection: CollectionDefinition = {
  name: 'idempotencyKeys',
  // A key is kept for a day.
  indexes: [{ key: { expiresAt: 1 }, options: { expireAfterSeconds: 0 } }],
};

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/** @throws Problem 400 where the header is not 1 to 255 visible ASCII characters */
export function checkIdempotencyKey(key: string): string {
  if (VISIBLE.test(key)) return key;
  throw badRequest('INVALID_IDEMPOTENCY_KEY', 'An Idempotency-Key has 1 to 255 visible ASCII characters.');
}

export function createIdempotency({ database, clock }: { database: Database; clock: Clock }): Idempotency {
  const rows = database.collection<KeyRow>(idempotencyCollection.name);

  async function first(row: KeyRow, work: () => Promise<StoredAnswer>): Promise<StoredAnswer> {
    return database.inTransaction(async (session) => {
      // The very first write: a second request with the same key conflicts here, before it has done anything, and
      // is tried again by the driver until it sees this one committed or gone.
      await rows.insertOne({ ...row }, { session });
      const answer = await work();
      await rows.updateOne({ _id: row._id }, { $set: { answer } }, { session });
      return answer;
    });
  }

  async function earlier(row: KeyRow): Promise<StoredAnswer | undefined> {
    const found = await rows.findOne({ _id: row._id }, { readConcern: { level: 'majority' } });
    if (!found?.answer) return undefined;
    if (found.expiresAt <= clock.now()) {
      // The database removes what has expired only once a minute.
      await rows.deleteOne({ _id: row._id, expiresAt: found.expiresAt });
      return undefined;
    }
    if (found.inputHash !== row.inputHash) {
      throw conflict('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used with another request.');
    }
    return found.answer;
  }

  return {
    async run(request, work) {
      const row: KeyRow = {
        _id: hash([request.subject, request.method, request.path, request.key]),
        inputHash: hash(request.input),
        expiresAt: later(clock.now(), DAY),
      };
      for (;;) {
        try {
          return { ...(await first(row, work)), replayed: false };
        } catch (error) {
          if (!isOwnDuplicate(error, row._id)) throw error;
        }
        // Not there after all where it has just expired, or is not yet held by a majority: then the loop goes on.
        const stored = await earlier(row);
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
