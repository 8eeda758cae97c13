import { createHash } from 'node:crypto';
import { MINUTE, SECOND } from '../../core/clock.js';
import { type Limit, type Limiter } from '../../core/http/limits.js';
import { Problem } from '../../core/http/problem.js';

const WINDOW_SECONDS = (15 * MINUTE) / SECOND;
const PER_ACCOUNT: Limit = { name: 'sign-in-account', points: 5, seconds: WINDOW_SECONDS };
const PER_ADDRESS: Limit = { name: 'sign-in-address', points: 5, seconds: WINDOW_SECONDS };

/**
 * Counts failed sign-ins: five within 15 minutes lock the account, and the network address they came from. An attempt
 * takes the account's point before the password is looked at, so that many guesses at once cannot slip through. The
 * address is charged afterwards: a whole campus may sign in from one address at the same moment.
 */
export class SignInGuard {
  constructor(private readonly limiter: Limiter) {}

  /**
   * @returns whether the account is locked
   * @throws Problem 429 where the network address failed too often, whatever account it tries
   */
  async begin(email: string, ip: string): Promise<{ locked: boolean }> {
    await this.limiter.check(ip, PER_ADDRESS);
    try {
      await this.limiter.consume(accountKey(email), PER_ACCOUNT);
      return { locked: false };
    } catch (error) {
      if (error instanceof Problem) return { locked: true };
      throw error;
    }
  }

  /** A sign-in that succeeded does not count. */
  async succeed(email: string): Promise<void> {
    await this.limiter.giveBack(accountKey(email), PER_ACCOUNT);
  }

  /** One that failed counts against the address as well. */
  async fail(ip: string): Promise<void> {
    await this.limiter.penalise(ip, PER_ADDRESS);
  }
}

/** Addresses of people do not belong into a table of counters. */
function accountKey(email: string): string {
  return createHash('sha256').update(email).digest('base64url');
}
