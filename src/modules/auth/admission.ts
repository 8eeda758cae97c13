import { type ClientSession } from 'mongodb';
import { type Clock, MINUTE, SECOND } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { forbidden, type Problem, unauthorized } from '../../core/http/problem.js';
import { type User, type UserService } from '../users/index.js';
import { type Device } from './device.js';
import { type OneTimeTokens } from './one-time-tokens.js';
import { type SessionService, type SignedIn } from './session.service.js';
import { type SignInGuard } from './sign-in-guard.js';
import { type Factor, type TwoFactorService } from './two-factor.js';

const CHALLENGE_MS = 5 * MINUTE;
const ATTEMPTS_PER_CHALLENGE = 5;

/** What someone gets who has shown one factor of two. */
export interface Challenge {
  challenge: string;
  /** Seconds until it can no longer be answered. */
  expiresIn: number;
}

export interface AdmissionDeps {
  database: Database;
  clock: Clock;
  users: UserService;
  sessions: SessionService;
  oneTimeTokens: OneTimeTokens;
  twoFactor: TwoFactorService;
  guard: SignInGuard;
}

/** What lies between knowing who someone is and a session: suspension, and the second factor. */
export class Admission {
  constructor(private readonly deps: AdmissionDeps) {}

  /**
   * Lets in who has shown a first factor, within the caller's transaction.
   * @returns a session, or where two-factor sign-in is on a challenge instead
   * @throws Problem 403 `ACCOUNT_SUSPENDED`
   */
  async admit(session: ClientSession, user: User, device: Device): Promise<SignedIn | Challenge> {
    const { sessions, oneTimeTokens, twoFactor } = this.deps;
    this.requireNotSuspended(user);
    if (!(await twoFactor.isOn(session, user._id))) return sessions.start(session, user, device);
    const purpose = 'twoFactorChallenge';
    const id = await oneTimeTokens.create(session, { userId: user._id, purpose, lifeMs: CHALLENGE_MS });
    return { challenge: oneTimeTokens.reveal(purpose, id), expiresIn: CHALLENGE_MS / SECOND };
  }

  /**
   * Answers a challenge with the second factor.
   * @throws Problem 401 `CHALLENGE_INVALID`, 400 `CODE_INVALID`, 403 `ACCOUNT_SUSPENDED`, 429 where a network address
   *   failed too often
   */
  async answer(challenge: string, factor: Factor, device: Device): Promise<SignedIn> {
    const { database, users, sessions, oneTimeTokens, twoFactor, guard } = this.deps;
    const row = await oneTimeTokens.find('twoFactorChallenge', challenge);
    const user = row && (await users.findSigningIn(row.userId));
    if (!row || !user) {
      await guard.fail(device.ip);
      throw invalidChallenge();
    }
    if (!(await oneTimeTokens.attempt(row._id, ATTEMPTS_PER_CHALLENGE))) throw invalidChallenge();
    return twoFactor.prove(user._id.toHexString(), factor, device.ip, (use) =>
      database.inTransaction(async (session) => {
        if (!(await oneTimeTokens.redeem(session, 'twoFactorChallenge', challenge))) throw invalidChallenge();
        await use(session);
        this.requireNotSuspended(user);
        return sessions.start(session, user, device);
      }),
    );
  }

  private requireNotSuspended({ suspendedUntil }: User): void {
    if (suspendedUntil == null || suspendedUntil <= this.deps.clock.now()) return;
    throw forbidden('ACCOUNT_SUSPENDED', `This account is suspended until ${suspendedUntil.toISOString()}.`);
  }
}

/** The same whether it was never given out, was answered, is too old or was tried too often. */
function invalidChallenge(): Problem {
  return unauthorized('CHALLENGE_INVALID', 'This sign-in can no longer be finished. Begin again.');
}
