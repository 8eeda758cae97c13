import { createHash } from 'node:crypto';
import { MINUTE, SECOND } from '../../core/clock.js';
import { type Limit, type Limiter } from '../../core/http/limits.js';
import { Problem } from '../../core/http/problem.js';

const limit = (name: string): Limit => ({ name, points: 5, seconds: (15 * MINUTE) / SECOND });
const PER_ACCOUNT = limit('sign-in-account');
const PER_ADDRESS = limit('sign-in-address');
const RESETS_PER_ACCOUNT = limit('reset-account');
const RESETS_PER_ADDRESS = limit('reset-address');
const TOKENS_PER_ADDRESS = limit('reset-token-address');
const CODES_PER_ACCOUNT = limit('two-factor-account');
const MAILED_CODES_PER_ACCOUNT = limit('mailed-code-account');
const ATTEMPTS_PER_MAILED_CODE = limit('mailed-code');

/**
 * Counts failed sign-ins: five within 15 minutes lock the account, and the network address they came from. An attempt
 * takes the account's point before the password is looked at, so that many guesses at once cannot slip through. The
 * address is charged afterwards: a whole campus may sign in from one address at the same moment.
 */
export class SignInGuard {
  constructor(private readonly limiter: Limiter) {}

  /**
   * @param account its e-mail address, or the user's id where someone signed in gives the password once more, whom a
   *   stranger's failures must not lock out
   * @returns whether the account is locked
   * @throws Problem 429 where the network address failed too often, whatever account it tries
   */
  async begin(account: string, ip: string): Promise<{ locked: boolean }> {
    await this.limiter.check(ip, PER_ADDRESS);
    return { locked: !(await this.take(account, PER_ACCOUNT)) };
  }

  /** A sign-in that succeeded does not count. */
  async succeed(account: string): Promise<void> {
    await this.limiter.giveBack(keyOf(account), PER_ACCOUNT);
  }

  /** One that failed counts against the address as well. */
  async fail(ip: string): Promise<void> {
    await this.limiter.penalise(ip, PER_ADDRESS);
  }

  /**
   * @returns whether a mail may be sent to that address once more
   * @throws Problem 429 where the network address asked too often
   */
  async askForReset(email: string, ip: string): Promise<boolean> {
    await this.limiter.consume(ip, RESETS_PER_ADDRESS);
    return this.take(email, RESETS_PER_ACCOUNT);
  }

  /** @throws Problem 429 where the network address brought too many bad tokens */
  async tryToken(ip: string): Promise<void> {
    await this.limiter.consume(ip, TOKENS_PER_ADDRESS);
  }

  async tokenWasGood(ip: string): Promise<void> {
    await this.limiter.giveBack(ip, TOKENS_PER_ADDRESS);
  }

  /**
   * @returns whether the account has an attempt at its second factor left
   * @throws Problem 429 where the network address failed too often
   */
  async tryCode(userId: string, ip: string): Promise<boolean> {
    await this.limiter.check(ip, PER_ADDRESS);
    return this.take(userId, CODES_PER_ACCOUNT);
  }

  async codeWasGood(userId: string): Promise<void> {
    await this.limiter.giveBack(keyOf(userId), CODES_PER_ACCOUNT);
  }

  /** @throws Problem 429 where the account has no attempt at a mailed code left */
  async requireCodesLeft(userId: string): Promise<void> {
    await this.limiter.check(keyOf(userId), MAILED_CODES_PER_ACCOUNT);
  }

  /** @returns whether there is an attempt left at this code, and at any of the account's */
  async tryMailedCode(userId: string, codeId: string): Promise<boolean> {
    return (await this.take(codeId, ATTEMPTS_PER_MAILED_CODE)) && (await this.take(userId, MAILED_CODES_PER_ACCOUNT));
  }

  async mailedCodeWasGood(userId: string, codeId: string): Promise<void> {
    await this.limiter.giveBack(keyOf(codeId), ATTEMPTS_PER_MAILED_CODE);
    await this.limiter.giveBack(keyOf(userId), MAILED_CODES_PER_ACCOUNT);
  }

  private async take(account: string, limitOf: Limit): Promise<boolean> {
    try {
      await this.limiter.consume(keyOf(account), limitOf);
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
}

/** Addresses of people do not belong into a table of counters. */
function keyOf(account: string): string {
  return createHash('sha256').update(account).digest('base64url');
}
