import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock, later, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, type Problem } from '../../core/http/problem.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { codeRequested } from './auth.events.js';
import { type CodePurpose, type MailedCode, type StoredCodePurpose } from './auth.models.js';
import { type SignInGuard } from './sign-in-guard.js';

export const MAILED_CODE_MS = 10 * MINUTE;
const DIGITS = 6;

/**
 * Uses up the code that was mailed to a user, within the caller's transaction: if that fails, the code is still good.
 * Wrong codes count even then.
 * @throws Problem 400 `CODE_INVALID`, the same for a wrong code, an old one, a used one, and after too many attempts
 */
export type RequireCode = (session: ClientSession, userId: string, purpose: CodePurpose, code: string) => Promise<void>;

/** Codes that are sent to phones, for whoever keeps numbers. */
export interface PhoneCodes {
  /** @throws Problem 429 where the user gave too many wrong ones: another could not be used */
  requireLeft(userId: string): Promise<void>;
  /** Makes a new code, in the place of the one before for the same purpose; answers with its id. */
  create(session: ClientSession, userId: string, purpose: 'phone', phone: string): Promise<string>;
  /** The code that was sent and not given yet. */
  pending(userId: string): Promise<MailedCode | undefined>;
  /**
   * Uses up a code like `RequireCode`, and answers with the number that it was sent to.
   * @throws Problem 400 `CODE_INVALID`
   */
  redeemPhone(session: ClientSession, userId: string, code: string): Promise<string>;
  /** Makes a code useless. */
  drop(session: ClientSession, userId: string): Promise<void>;
}

export interface MailedCodeDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  guard: SignInGuard;
}

/**
 * Short codes by mail, which show that whoever is signed in also reads the mailbox, or by SMS for a phone. A code follows from the id of its
 * row by a key of the server, so that neither the database nor a notification in it holds one.
 */
export class MailedCodes implements PhoneCodes {
  private readonly secrets: Buffer[];

  constructor(
    keys: KeyRing,
    private readonly deps: MailedCodeDeps,
  ) {
    this.secrets = keys.derive('mailed-code').map(({ secret }) => secret);
  }

  /**
   * Mails a new code, in the place of the one before for the same purpose.
   * @throws Problem 429 where the user gave too many wrong ones: another could not be used
   */
  async send(userId: string, purpose: CodePurpose): Promise<void> {
    const { database, outbox } = this.deps;
    await this.requireLeft(userId);
    await database.inTransaction(async (session) => {
      const codeId = await this.create(session, userId, purpose);
      await outbox.record(session, codeRequested, {
        entity: { kind: 'mailedCode', id: codeId },
        data: { userId, codeId, purpose },
      });
    });
  }

  readonly require: RequireCode = async (session, userId, purpose, code) => {
    await this.redeem(session, userId, purpose, code);
  };

  requireLeft(userId: string): Promise<void> {
    return this.deps.guard.requireCodesLeft(userId);
  }

  async create(session: ClientSession, userId: string, purpose: StoredCodePurpose, phone?: string): Promise<string> {
    const [_id, owner] = [new ObjectId(), new ObjectId(userId)];
    await this.rows.deleteOne({ userId: owner, purpose }, { session });
    const expiresAt = later(this.deps.clock.now(), MAILED_CODE_MS);
    await this.rows.insertOne(
      { _id, userId: owner, purpose, expiresAt, ...(phone !== undefined && { phone }) },
      { session },
    );
    return _id.toHexString();
  }

  async pending(userId: string): Promise<MailedCode | undefined> {
    return (await this.usable(userId, 'phone')) ?? undefined;
  }

  async redeemPhone(session: ClientSession, userId: string, code: string): Promise<string> {
    const { phone } = await this.redeem(session, userId, 'phone', code);
    if (phone == null) throw invalidCode();
    return phone;
  }

  async drop(session: ClientSession, userId: string): Promise<void> {
    await this.rows.deleteOne({ userId: new ObjectId(userId), purpose: 'phone' }, { session });
  }

  private async redeem(
    session: ClientSession,
    userId: string,
    purpose: StoredCodePurpose,
    code: string,
  ): Promise<MailedCode> {
    const { guard } = this.deps;
    // Read and counted beside the transaction: what a guess has cost must stay when the guess is refused.
    const row = await this.usable(userId, purpose);
    if (!row) throw invalidCode();
    const codeId = row._id.toHexString();
    if (!(await guard.tryMailedCode(userId, codeId)) || !this.fits(codeId, code)) throw invalidCode();
    const { deletedCount } = await this.rows.deleteOne({ _id: row._id }, { session });
    if (deletedCount === 0) throw invalidCode();
    await guard.mailedCodeWasGood(userId, codeId);
    return row;
  }

  /** The code that stands for a row: for the mail or the SMS to its owner only. */
  reveal(codeId: string): string {
    const [secret] = this.secrets;
    if (!secret) throw new Error('the key ring is empty');
    return codeFrom(secret, codeId);
  }

  private usable(userId: string, purpose: StoredCodePurpose): Promise<MailedCode | null> {
    return this.rows.findOne({ userId: new ObjectId(userId), purpose, expiresAt: { $gt: this.deps.clock.now() } });
  }

  private fits(codeId: string, code: string): boolean {
    const given = Buffer.from(code);
    return this.secrets.some((secret) => {
      const expected = Buffer.from(codeFrom(secret, codeId));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  }

  private get rows() {
    return this.deps.database.collection<MailedCode>('mailedCodes');
  }
}

/** The same whether a code is wrong, too old, was used, or may not be tried any more. */
export function invalidCode(): Problem {
  return badRequest('CODE_INVALID', 'This code is not valid. Check it, or ask for a new one.');
}

function codeFrom(secret: Buffer, codeId: string): string {
  // Of 48 bits each of the million remainders has the same share, but for one part in 280 million.
  const number = createHmac('sha256', secret).update(codeId).digest().readUIntBE(0, 6) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, '0');
}
