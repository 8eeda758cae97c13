import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { type OneTimeToken, type TokenPurpose } from './auth.models.js';

/**
 * Tokens that work once, such as those in mailed links. The token is `kid.id.mac`: made from the id of its row by a
 * key of the server whenever it is needed, so that neither the database nor a backup of it holds one.
 */
export class OneTimeTokens {
  private readonly keys: { kid: string; secret: Buffer }[];

  constructor(
    keys: KeyRing,
    private readonly deps: { database: Database; clock: Clock },
  ) {
    this.keys = keys.derive('one-time-token');
  }

  /** Makes one within the caller's transaction; it ends after `lifeMs`. */
  async create(
    session: ClientSession,
    { lifeMs, ...what }: { userId: ObjectId; purpose: TokenPurpose; lifeMs: number; email?: string },
  ): Promise<string> {
    const _id = new ObjectId();
    const expiresAt = later(this.deps.clock.now(), lifeMs);
    await this.rows.insertOne({ _id, ...what, expiresAt, attempts: 0 }, { session });
    return _id.toHexString();
  }

  /** The token that stands for a row: for its owner only. */
  reveal(purpose: TokenPurpose, id: string): string {
    const [key] = this.keys;
    if (!key) throw new Error('the key ring is empty');
    return `${key.kid}.${id}.${mac(key.secret, purpose, id).toString('base64url')}`;
  }

  /** The row that a token stands for, as long as it can be used. */
  async find(purpose: TokenPurpose, token: string): Promise<OneTimeToken | undefined> {
    const id = this.idOf(purpose, token);
    return (id && (await this.rows.findOne(this.usable(purpose, id)))) ?? undefined;
  }

  /** Uses a token up, and with it all others of its owner for the same purpose. Of many at once one succeeds. */
  async redeem(session: ClientSession, purpose: TokenPurpose, token: string): Promise<OneTimeToken | undefined> {
    const id = this.idOf(purpose, token);
    if (!id) return undefined;
    const row = await this.rows.findOneAndUpdate(
      this.usable(purpose, id),
      { $set: { usedAt: this.deps.clock.now() } },
      { session },
    );
    if (row) await this.revoke(session, purpose, row.userId);
    return row ?? undefined;
  }

  /** Makes a user's tokens for a purpose useless. */
  async revoke(session: ClientSession, purpose: TokenPurpose, userId: ObjectId): Promise<void> {
    await this.rows.deleteMany({ userId, purpose, usedAt: { $exists: false } }, { session });
  }

  /**
   * Counts an attempt to use a token before it is known how it ends.
   * @returns whether there was one left
   */
  async attempt(id: ObjectId, most: number): Promise<boolean> {
    const { matchedCount } = await this.rows.updateOne({ _id: id, attempts: { $lt: most } }, { $inc: { attempts: 1 } });
    return matchedCount === 1;
  }

  private usable(purpose: TokenPurpose, _id: ObjectId) {
    return { _id, purpose, usedAt: { $exists: false }, expiresAt: { $gt: this.deps.clock.now() } };
  }

  private idOf(purpose: TokenPurpose, token: string): ObjectId | undefined {
    const [, kid, id, given] = /^([\w-]{1,32})\.([0-9a-f]{24})\.([\w-]{43})$/.exec(token) ?? [];
    const secret = this.keys.find((key) => key.kid === kid)?.secret;
    if (!secret || id === undefined || given === undefined) return undefined;
    return timingSafeEqual(Buffer.from(given, 'base64url'), mac(secret, purpose, id)) ? new ObjectId(id) : undefined;
  }

  private get rows() {
    return this.deps.database.collection<OneTimeToken>('oneTimeTokens');
  }
}

function mac(secret: Buffer, purpose: TokenPurpose, id: string): Buffer {
  return createHmac('sha256', secret).update(`${purpose}.${id}`).digest();
}
