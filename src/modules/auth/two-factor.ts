import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict } from '../../core/http/problem.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { createVault, type Vault } from '../../core/security/vault.js';
import { recoveryCodesRenewed, recoveryCodeUsed, twoFactorDisabled, twoFactorEnabled } from './auth.events.js';
import { type TwoFactor } from './auth.models.js';
import { recordFailure } from './failed-sign-ins.js';
import { invalidCode } from './mailed-codes.js';
import { hashRecoveryCode, newRecoveryCodes } from './recovery-codes.js';
import { type SignInGuard } from './sign-in-guard.js';
import { newTotpSecret, totpStep } from './totp.js';

/** What someone shows beside the password. */
export type Factor = { code: string } | { recoveryCode: string };

/** Uses a factor up within a transaction; throws `CODE_INVALID` where it was used a moment ago. */
type UseFactor = (session: ClientSession) => Promise<void>;

export interface TwoFactorDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  guard: SignInGuard;
}

/** The second factor of accounts: a secret shared with an app that shows codes, and recovery codes for when it is lost. */
export class TwoFactorService {
  private readonly secrets: Buffer[];

  constructor(
    keys: KeyRing,
    private readonly deps: TwoFactorDeps,
  ) {
    this.secrets = keys.derive('two-factor').map(({ secret }) => secret);
  }

  async status(userId: string): Promise<{ enabled: boolean; recoveryCodesLeft: number }> {
    const row = await this.enabled(new ObjectId(userId));
    return { enabled: row !== undefined, recoveryCodesLeft: row?.recoveryCodes.length ?? 0 };
  }

  /** Whether signing in needs a second factor, as the caller's transaction sees it. */
  async isOn(session: ClientSession, userId: ObjectId): Promise<boolean> {
    return (await this.enabled(userId, session)) !== undefined;
  }

  /**
   * Makes a new secret, which counts for nothing until it is enabled; it replaces one that never was.
   * @throws Problem 409 `TWO_FACTOR_ON`
   */
  async setUp(userId: string): Promise<string> {
    const secret = newTotpSecret();
    try {
      await this.rows.updateOne(
        { _id: new ObjectId(userId), enabledAt: { $exists: false } },
        { $set: { secret: this.vaultOf(userId).seal(secret), lastStep: 0, recoveryCodes: [] } },
        { upsert: true },
      );
    } catch (error) {
      // There is one that is enabled.
      if (isDuplicateKey(error)) throw alreadyOn();
      throw error;
    }
    return secret;
  }

  /**
   * Turns two-factor sign-in on, by the first code of the app.
   * @returns the recovery codes, of which nothing but hashes is kept
   * @throws Problem 409 `TWO_FACTOR_ON` or `TWO_FACTOR_NOT_SET_UP`, 400 `CODE_INVALID`
   */
  async enable(userId: string, code: string): Promise<string[]> {
    const { database, clock } = this.deps;
    const _id = new ObjectId(userId);
    const row = await this.rows.findOne({ _id });
    if (!row) throw conflict('TWO_FACTOR_NOT_SET_UP', 'Set it up first.');
    if (row.enabledAt != null) throw alreadyOn();
    const secret = this.vaultOf(userId).open(row.secret);
    const lastStep = secret === undefined ? undefined : totpStep(secret, code, clock.now());
    if (lastStep === undefined) throw invalidCode();
    const { codes, hashes: recoveryCodes } = newRecoveryCodes(userId);
    await database.inTransaction(async (session) => {
      const { matchedCount } = await this.rows.updateOne(
        { _id, secret: row.secret, enabledAt: { $exists: false } },
        { $set: { enabledAt: clock.now(), lastStep, recoveryCodes } },
        { session },
      );
      if (matchedCount === 0) throw alreadyOn();
      await this.record(session, twoFactorEnabled, userId);
    });
    return codes;
  }

  /**
   * Turns it off, by a code or a recovery code.
   * @throws Problem 409 `TWO_FACTOR_OFF`, 400 `CODE_INVALID`
   */
  async disable(userId: string, factor: Factor, ip: string): Promise<void> {
    const _id = new ObjectId(userId);
    await this.requireOn(_id);
    const work = (use: UseFactor) =>
      this.deps.database.inTransaction(async (session) => {
        await use(session);
        await this.rows.deleteOne({ _id }, { session });
        await this.record(session, twoFactorDisabled, userId);
      });
    await this.prove(userId, factor, ip, work, userId);
  }

  /**
   * Makes new recovery codes in the place of all that there were, by a code of the app.
   * @throws Problem 409 `TWO_FACTOR_OFF`, 400 `CODE_INVALID`
   */
  async renewRecoveryCodes(userId: string, code: string, ip: string): Promise<string[]> {
    const _id = new ObjectId(userId);
    await this.requireOn(_id);
    const { codes, hashes: recoveryCodes } = newRecoveryCodes(userId);
    const work = (use: UseFactor) =>
      this.deps.database.inTransaction(async (session) => {
        await use(session);
        await this.rows.updateOne({ _id }, { $set: { recoveryCodes } }, { session });
        await this.record(session, recoveryCodesRenewed, userId);
      });
    await this.prove(userId, { code }, ip, work, userId);
    return codes;
  }

  /**
   * Does something that needs the second factor. An attempt is counted before anything is looked at, so that many at
   * once cannot slip through; one that succeeds does not count.
   * @param work uses the factor in the transaction of what it does, so that both happen or neither
   * @param actorId whoever is signed in already
   * @throws Problem 400 `CODE_INVALID`, also after too many attempts; 429 where a network address failed too often
   */
  async prove<T>(
    userId: string,
    factor: Factor,
    ip: string,
    work: (use: UseFactor) => Promise<T>,
    actorId?: string,
  ): Promise<T> {
    const { guard, outbox } = this.deps;
    const mayTry = await guard.tryCode(userId, ip);
    const use = mayTry ? await this.find(userId, factor) : undefined;
    if (!use) {
      await guard.fail(ip);
      if (mayTry) await recordFailure(outbox, { reason: 'wrongCode', userId, actorId });
      throw invalidCode();
    }
    const result = await work(use);
    await guard.codeWasGood(userId);
    return result;
  }

  private async find(userId: string, factor: Factor): Promise<UseFactor | undefined> {
    const row = await this.enabled(new ObjectId(userId));
    if (!row) return undefined;
    return 'code' in factor ? this.findStep(row, factor.code) : this.findRecoveryCode(row, factor.recoveryCode);
  }

  private findStep({ _id, secret: sealed, enabledAt, lastStep }: TwoFactor, code: string): UseFactor | undefined {
    const vault = this.vaultOf(_id.toHexString());
    const secret = vault.open(sealed);
    const step = secret === undefined ? undefined : totpStep(secret, code, this.deps.clock.now());
    if (secret === undefined || step === undefined || step <= lastStep) return undefined;
    return async (session) => {
      const { matchedCount } = await this.rows.updateOne(
        { _id, enabledAt: enabledAt ?? null, lastStep: { $lt: step } },
        // Sealed anew each time, so that after a rotation nothing in use hangs on the old key for long.
        { $set: { lastStep: step, secret: vault.seal(secret) } },
        { session },
      );
      if (matchedCount === 0) throw invalidCode();
    };
  }

  private findRecoveryCode({ _id, recoveryCodes }: TwoFactor, code: string): UseFactor | undefined {
    const userId = _id.toHexString();
    const hash = hashRecoveryCode(userId, code);
    if (!recoveryCodes.includes(hash)) return undefined;
    return async (session) => {
      const { matchedCount } = await this.rows.updateOne(
        { _id, recoveryCodes: hash },
        { $pull: { recoveryCodes: hash } },
        { session },
      );
      if (matchedCount === 0) throw invalidCode();
      await this.record(session, recoveryCodeUsed, userId);
    };
  }

  private async requireOn(_id: ObjectId): Promise<void> {
    if (!(await this.enabled(_id))) throw conflict('TWO_FACTOR_OFF', 'Two-factor sign-in is off.');
  }

  private async enabled(_id: ObjectId, session?: ClientSession): Promise<TwoFactor | undefined> {
    return (
      (await this.rows.findOne({ _id, enabledAt: { $exists: true } }, { ...(session && { session }) })) ?? undefined
    );
  }

  private async record(session: ClientSession, type: typeof twoFactorEnabled, userId: string): Promise<void> {
    await this.deps.outbox.record(session, type, {
      actorId: userId,
      entity: { kind: 'user', id: userId },
      audience: { userIds: [userId] },
      data: { userId, changeId: new ObjectId().toHexString() },
    });
  }

  /** The server must read the secret while nobody is signed in, so the other half of the key can only bind it to its owner. */
  private vaultOf(userId: string): Vault {
    return createVault({ secrets: this.secrets, password: userId, purpose: 'two-factor' });
  }

  private get rows() {
    return this.deps.database.collection<TwoFactor>('twoFactors');
  }
}

function alreadyOn() {
  return conflict('TWO_FACTOR_ON', 'Two-factor sign-in is on; turn it off first.');
}
