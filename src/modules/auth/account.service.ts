import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock, HOUR } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, conflict, type Problem, unauthorized } from '../../core/http/problem.js';
import { type Actor } from '../../core/http/route.js';
import { type AccountStatus, type UserService } from '../users/index.js';
import { emailVerificationRequested, passwordChanged, passwordResetRequested } from './auth.events.js';
import { type Credential, type OneTimeToken, type TokenPurpose } from './auth.models.js';
import { recordFailure } from './failed-sign-ins.js';
import { type RequireCode } from './mailed-codes.js';
import { type OneTimeTokens } from './one-time-tokens.js';
import { type Passwords } from './password.js';
import { requireUncommon } from './password-rules.js';
import { type SessionService } from './session.service.js';
import { type SignInGuard } from './sign-in-guard.js';

const VERIFICATION_MS = 24 * HOUR;
const RESET_MS = HOUR;

/** The ways into an account beside its password. */
export interface OtherWaysIn {
  /** Closes them all, within the caller's transaction. */
  unlinkAll(session: ClientSession, userId: ObjectId): Promise<void>;
}

export interface AccountDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  users: UserService;
  status: AccountStatus;
  sessions: SessionService;
  oneTimeTokens: OneTimeTokens;
  guard: SignInGuard;
  passwords: Passwords;
  requireCode: RequireCode;
  otherWaysIn: OtherWaysIn;
}

/** What belongs to an account beside signing in: the proof of its address, and its password. */
export class AccountService {
  constructor(private readonly deps: AccountDeps) {}

  /** Has a link mailed by which the address is confirmed, with the caller's transaction. */
  async requestVerification(session: ClientSession, userId: ObjectId): Promise<void> {
    const { oneTimeTokens, outbox } = this.deps;
    const purpose = 'emailVerification';
    const tokenId = await oneTimeTokens.create(session, { userId, purpose, lifeMs: VERIFICATION_MS });
    await outbox.record(session, emailVerificationRequested, {
      entity: { kind: purpose, id: tokenId },
      data: { userId: userId.toHexString(), tokenId },
    });
  }

  /** Mails another link, unless the address is confirmed already. */
  async resendVerification(userId: string): Promise<void> {
    const user = await this.deps.users.find(userId);
    if (!user || user.emailVerifiedAt != null) return;
    await this.deps.database.inTransaction((session) => this.requestVerification(session, user._id));
  }

  /** @throws Problem 400 `ONE_TIME_TOKEN_INVALID` */
  async verifyEmail(token: string): Promise<void> {
    const { database, status } = this.deps;
    await database.inTransaction(async (session) => {
      const { userId } = await this.redeem(session, 'emailVerification', token);
      await status.confirmEmail(session, userId);
    });
  }

  /**
   * Has a link mailed by which a new password is chosen. Where there is no such account the same is written, for
   * nobody, so that neither the answer nor the time it takes tells the difference.
   * @throws Problem 429 where a network address asks too often
   */
  async forgotPassword(email: string, ip: string): Promise<void> {
    const { guard, users, database, oneTimeTokens, outbox } = this.deps;
    const allowed = await guard.askForReset(email, ip);
    const user = await users.findByEmail(email);
    const userId = user && allowed ? user._id : new ObjectId();
    await database.inTransaction(async (session) => {
      const purpose = 'passwordReset';
      const tokenId = await oneTimeTokens.create(session, { userId, purpose, lifeMs: RESET_MS });
      await outbox.record(session, passwordResetRequested, {
        entity: { kind: purpose, id: tokenId },
        data: { userId: userId.toHexString(), tokenId },
      });
    });
  }

  /**
   * Sets a new password by a mailed token and ends all sessions. Whoever has the token also has the mailbox, so the
   * address counts as confirmed. Where it was not before, whoever made the account may be someone else, and must not
   * be able to come back by an account with a provider.
   * @throws Problem 400 `ONE_TIME_TOKEN_INVALID` or `PASSWORD_TOO_COMMON`, 429 after too many bad tokens
   */
  async resetPassword(token: string, password: string, ip: string): Promise<void> {
    const { database, status, oneTimeTokens, users, guard, sessions, otherWaysIn } = this.deps;
    await guard.tryToken(ip);
    const row = await oneTimeTokens.find('passwordReset', token);
    const user = row && (await users.find(row.userId.toHexString()));
    if (!user) throw invalidToken();
    await guard.tokenWasGood(ip);
    requireUncommon(password, user);
    const passwordHash = await this.deps.passwords.hash(password);
    const ended = await database.inTransaction(async (session) => {
      const { userId } = await this.redeem(session, 'passwordReset', token);
      if (await status.confirmEmail(session, userId)) await otherWaysIn.unlinkAll(session, userId);
      return this.setPassword(session, userId, passwordHash);
    });
    sessions.forget(ended);
  }

  /**
   * Changes one's own password and ends all other sessions.
   * @throws Problem 401 `INVALID_CREDENTIALS`, 409 `PASSWORD_NOT_SET`, 400 `PASSWORD_TOO_COMMON` or `CODE_INVALID`
   */
  async changePassword(
    actor: Actor,
    { currentPassword, newPassword, code }: { currentPassword: string; newPassword: string; code: string },
    ip: string,
  ): Promise<void> {
    const { database, users, sessions, requireCode } = this.deps;
    const user = await users.find(actor.id);
    if (!user) throw unauthorized();
    await this.requirePassword(actor.id, currentPassword, ip);
    requireUncommon(newPassword, user, 'body.newPassword');
    const passwordHash = await this.deps.passwords.hash(newPassword);
    sessions.forget(
      await database.inTransaction(async (session) => {
        await requireCode(session, actor.id, 'passwordChange', code);
        return this.setPassword(session, user._id, passwordHash, actor.sessionId);
      }),
    );
  }

  /**
   * Makes sure that whoever is signed in knows the password too. Wrong ones count as failed sign-ins.
   * @throws Problem 401 `INVALID_CREDENTIALS`, 409 `PASSWORD_NOT_SET` where there is none, 429 where a network address
   *   failed too often
   */
  async requirePassword(userId: string, password: string, ip: string): Promise<void> {
    const { guard, outbox, passwords } = this.deps;
    const credential = await this.credentials.findOne({ _id: new ObjectId(userId) });
    // Only who is signed in gets here: it tells them nothing of others.
    if (!credential) throw conflict('PASSWORD_NOT_SET', 'This account has no password. Have a link mailed to set one.');
    const { locked } = await guard.begin(userId, ip);
    const fits = await passwords.fits(credential.passwordHash, password);
    if (!fits || locked) {
      await guard.fail(ip);
      if (!locked) await recordFailure(outbox, { reason: 'wrongPassword', userId, actorId: userId });
      throw unauthorized('INVALID_CREDENTIALS', 'The password is wrong.');
    }
    await guard.succeed(userId);
  }

  /** Whether one can sign in by a password; who came by a provider's account may have none. */
  async hasPassword(session: ClientSession, _id: ObjectId): Promise<boolean> {
    return (await this.credentials.findOne({ _id }, { session, projection: { _id: 1 } })) !== null;
  }

  /**
   * Notes a sign-in without the password. Written where there is one, so that the account cannot be given up at the
   * same moment: of the two at once, one comes second and finds what the first has left.
   */
  async noteSignIn(session: ClientSession, _id: ObjectId): Promise<void> {
    await this.credentials.updateOne({ _id }, { $set: { lastSignInAt: this.deps.clock.now() } }, { session });
  }

  /**
   * Sets a password, ends all sessions but the one to be kept, makes reset links useless, and tells the user.
   * @returns the ids of the sessions that ended
   */
  private async setPassword(
    session: ClientSession,
    _id: ObjectId,
    passwordHash: string,
    keepSessionId?: string,
  ): Promise<string[]> {
    const { clock, sessions, oneTimeTokens, outbox } = this.deps;
    const updatedAt = clock.now();
    await this.credentials.updateOne({ _id }, { $set: { passwordHash, updatedAt } }, { upsert: true, session });
    const ended = await sessions.end(session, { userId: _id }, 'passwordChanged', keepSessionId);
    await oneTimeTokens.revoke(session, 'passwordReset', _id);
    await oneTimeTokens.revoke(session, 'twoFactorChallenge', _id);
    const userId = _id.toHexString();
    await outbox.record(session, passwordChanged, {
      entity: { kind: 'user', id: userId },
      audience: { userIds: [userId] },
      data: { userId, changeId: new ObjectId().toHexString() },
    });
    return ended;
  }

  private get credentials() {
    return this.deps.database.collection<Credential>('credentials');
  }

  private async redeem(session: ClientSession, purpose: TokenPurpose, token: string): Promise<OneTimeToken> {
    const row = await this.deps.oneTimeTokens.redeem(session, purpose, token);
    if (!row) throw invalidToken();
    return row;
  }
}

/** The same whether a token was never given out, has expired or was used. */
export function invalidToken(): Problem {
  return badRequest('ONE_TIME_TOKEN_INVALID', 'This link is not valid any more. Ask for a new one.');
}
