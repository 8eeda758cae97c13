import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { Problem, unauthorized } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type AccountStatus, type User, type UserService } from '../users/index.js';
import { type AccountService } from './account.service.js';
import { type Admission, type Challenge } from './admission.js';
import { type Credential } from './auth.models.js';
import { type registerBody } from './auth.schemas.js';
import { type Device } from './device.js';
import { recordFailure } from './failed-sign-ins.js';
import { type Passwords } from './password.js';
import { requireUncommon } from './password-rules.js';
import { type SessionService, type SignedIn } from './session.service.js';
import { type SignInGuard } from './sign-in-guard.js';

export interface AuthDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  users: UserService;
  status: AccountStatus;
  sessions: SessionService;
  accounts: AccountService;
  admission: Admission;
  guard: SignInGuard;
  passwords: Passwords;
}

/** Registration and signing in. */
export class AuthService {
  constructor(private readonly deps: AuthDeps) {}

  /** @throws Problem 409 `EMAIL_TAKEN`, 400 `PASSWORD_TOO_COMMON` */
  async register(input: Infer<typeof registerBody>, device: Device): Promise<SignedIn> {
    const { database, users, accounts, sessions, passwords } = this.deps;
    requireUncommon(input.password, input);
    const passwordHash = await passwords.hash(input.password);
    const { name, email, role, locale = 'en' } = input;
    return database.inTransaction(async (session) => {
      const user = await users.create(session, { name, email, role, locale });
      await this.credentials.insertOne({ _id: user._id, passwordHash, updatedAt: this.deps.clock.now() }, { session });
      await accounts.requestVerification(session, user._id);
      return sessions.start(session, user, device);
    });
  }

  /**
   * Signs in, or begins to where the account has a second factor. An unknown address, a wrong password and a locked account get the same answer after the same work.
   * @throws Problem 401 `INVALID_CREDENTIALS`, 403 `ACCOUNT_SUSPENDED`, 429 where an address fails too often
   */
  async login(email: string, password: string, device: Device): Promise<SignedIn | Challenge> {
    const { guard, users, database, outbox, admission, passwords } = this.deps;
    const { locked } = await guard.begin(email, device.ip);
    const user = await users.findByEmail(email);
    const credential = await this.credentials.findOne({ _id: user?._id ?? new ObjectId() });
    const fits = await passwords.fits(credential?.passwordHash, password);
    if (!user || !credential || !fits || locked) {
      const userId = user?._id.toHexString();
      await Promise.all([
        guard.fail(device.ip),
        recordFailure(outbox, { reason: locked ? 'locked' : 'wrongPassword', userId }),
      ]);
      throw wrongCredentials();
    }
    await guard.succeed(email);
    const { passwordHash } = credential;
    const next = passwords.isOutdated(passwordHash) ? await passwords.hash(password) : passwordHash;
    return database.inTransaction(async (session) => {
      // Written, not only read: a password that is being changed at this moment must not begin a session any more.
      const { matchedCount } = await this.credentials.updateOne(
        { _id: user._id, passwordHash },
        { $set: { passwordHash: next, lastSignInAt: this.deps.clock.now() } },
        { session },
      );
      if (matchedCount === 0) throw wrongCredentials();
      return admission.admit(session, user, device);
    });
  }

  /** Creates the first admin, unless there is an account with that address. Its address counts as confirmed. */
  async ensureAdmin(email: string, password: string): Promise<boolean> {
    const { users, database, status, clock, passwords } = this.deps;
    if (await users.findByEmail(email)) return false;
    const passwordHash = await passwords.hash(password);
    try {
      await database.inTransaction(async (session) => {
        const admin: User = await users.create(session, { name: 'Admin', email, role: 'admin', locale: 'en' });
        await this.credentials.insertOne({ _id: admin._id, passwordHash, updatedAt: clock.now() }, { session });
        await status.confirmEmail(session, admin._id);
      });
    } catch (error) {
      // Another node that started at the same time was first.
      if (error instanceof Problem && error.code === 'EMAIL_TAKEN') return false;
      throw error;
    }
    return true;
  }

  private get credentials() {
    return this.deps.database.collection<Credential>('credentials');
  }
}

function wrongCredentials(): Problem {
  return unauthorized('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
}
