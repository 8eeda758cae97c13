import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock, DAY, later, SECOND } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { Problem, unauthorized } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type User, type UserService } from '../users/index.js';
import { sessionEnded, sessionStarted } from './auth.events.js';
import { type AuthModels, type Credential, type Session } from './auth.models.js';
import { type registerBody } from './auth.schemas.js';
import { hashPassword, passwordFits } from './password.js';
import { type SessionCache } from './session-cache.js';
import { type SignInGuard } from './sign-in-guard.js';
import { ACCESS_TOKEN_MS, type Tokens } from './tokens.js';

const REFRESH_TOKEN_MS = 30 * DAY;
/** Two tabs may refresh at once: for this long the spent token still gives the same successor. */
const REUSE_GRACE_MS = 10 * SECOND;

/** Where a sign-in comes from. */
export interface Device {
  ip: string;
  userAgent: string | undefined;
}

export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token ends. */
  expiresIn: number;
}

export type SignedIn = IssuedTokens & { user: User };

export interface AuthDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  models: AuthModels;
  users: UserService;
  tokens: Tokens;
  guard: SignInGuard;
  cache: SessionCache;
}

export class AuthService {
  constructor(private readonly deps: AuthDeps) {}

  /** @throws Problem 409 `EMAIL_TAKEN` */
  async register(input: Infer<typeof registerBody>, device: Device): Promise<SignedIn> {
    const passwordHash = await hashPassword(input.password);
    const { name, email, role, locale = 'en' } = input;
    return this.deps.database.inTransaction(async (session) => {
      const user = await this.deps.users.create(session, { name, email, role, locale });
      await this.setPassword(session, user._id, passwordHash);
      return this.startSession(session, user, device);
    });
  }

  /**
   * Signs in. An unknown address, a wrong password and a locked account get the same answer after the same work.
   * @throws Problem 401 `INVALID_CREDENTIALS`, 429 where an address fails too often
   */
  async login(email: string, password: string, device: Device): Promise<SignedIn> {
    const { guard, users, models, database } = this.deps;
    const { locked } = await guard.begin(email, device.ip);
    const user = await users.findByEmail(email);
    const credential = user && (await models.credentials.findById(user._id).lean<Credential>());
    const fits = await passwordFits(credential?.passwordHash, password);
    if (!user || !fits || locked) {
      await guard.fail(device.ip);
      throw unauthorized('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
    }
    await guard.succeed(email);
    return database.inTransaction((session) => this.startSession(session, user, device));
  }

  /**
   * Rotates a refresh token: each works once. A second use, unless it comes at once as from two tabs, means that
   * someone else has the token: the whole session ends.
   * @throws Problem 401 `REFRESH_TOKEN_INVALID` or `REFRESH_TOKEN_REUSED`
   */
  async refresh(token: string): Promise<IssuedTokens> {
    const { tokens, models, clock } = this.deps;
    const claims = tokens.verifyRefresh(token);
    if (!claims) throw unauthorized('REFRESH_TOKEN_INVALID', 'The refresh token is not valid.');
    const now = clock.now();
    const rotated = await models.sessions
      .findOneAndUpdate(
        { _id: claims.sessionId, generation: claims.generation, endedAt: null },
        { $inc: { generation: 1 }, $set: { rotatedAt: now } },
        { returnDocument: 'after' },
      )
      .lean<Session>();
    const session = rotated ?? (await models.sessions.findById(claims.sessionId).lean<Session>());
    if (!session || session.endedAt != null || session.expiresAt <= now) {
      throw unauthorized('REFRESH_TOKEN_INVALID', 'The refresh token is not valid.');
    }
    const isTwin =
      session.generation === claims.generation + 1 && now.getTime() - session.rotatedAt.getTime() <= REUSE_GRACE_MS;
    if (!rotated && !isTwin) {
      await this.endSession(session._id.toHexString(), session.userId.toHexString(), 'reuse');
      throw unauthorized('REFRESH_TOKEN_REUSED', 'This refresh token was used before; the session has ended.');
    }
    return this.issue(session);
  }

  /** Ends a session; ending it again changes nothing. */
  async endSession(sessionId: string, userId: string, reason: 'logout' | 'reuse'): Promise<void> {
    const { database, models, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const { modifiedCount } = await models.sessions.updateOne(
        { _id: sessionId, endedAt: null },
        { $set: { endedAt: clock.now() } },
        { session },
      );
      if (modifiedCount === 0) return;
      await outbox.record(session, sessionEnded, {
        actorId: userId,
        entity: { kind: 'session', id: sessionId },
        audience: { userIds: [userId] },
        data: { sessionId, userId, reason },
      });
    });
    // The other nodes hear of it through the feed, a moment later.
    this.deps.cache.forget(sessionId);
  }

  /** Creates the first admin, unless there is an account with that address. */
  async ensureAdmin(email: string, password: string): Promise<boolean> {
    if (await this.deps.users.findByEmail(email)) return false;
    const passwordHash = await hashPassword(password);
    try {
      await this.deps.database.inTransaction(async (session) => {
        const admin = await this.deps.users.create(session, { name: 'Admin', email, role: 'admin', locale: 'en' });
        await this.setPassword(session, admin._id, passwordHash);
      });
    } catch (error) {
      // Another node that started at the same time was first.
      if (error instanceof Problem && error.code === 'EMAIL_TAKEN') return false;
      throw error;
    }
    return true;
  }

  private async setPassword(session: ClientSession, userId: ObjectId, passwordHash: string): Promise<void> {
    await this.deps.models.credentials.updateOne(
      { _id: userId },
      { $set: { passwordHash, updatedAt: this.deps.clock.now() } },
      { upsert: true, session },
    );
  }

  private async startSession(session: ClientSession, user: User, device: Device): Promise<SignedIn> {
    const { models, outbox, clock } = this.deps;
    const now = clock.now();
    const started = {
      _id: new ObjectId(),
      userId: user._id,
      generation: 0,
      rotatedAt: now,
      expiresAt: later(now, REFRESH_TOKEN_MS),
      ip: device.ip,
      ...(device.userAgent !== undefined && { userAgent: device.userAgent.slice(0, 300) }),
      createdAt: now,
    };
    await models.sessions.collection.insertOne(started, { session });
    const [sessionId, userId] = [started._id.toHexString(), user._id.toHexString()];
    await outbox.record(session, sessionStarted, {
      actorId: userId,
      entity: { kind: 'session', id: sessionId },
      audience: { userIds: [userId] },
      data: { sessionId, userId },
    });
    return { user, ...this.issue(started) };
  }

  private issue(session: Pick<Session, '_id' | 'userId' | 'generation'>): IssuedTokens {
    const sessionId = session._id.toHexString();
    return {
      accessToken: this.deps.tokens.access(session.userId.toHexString(), sessionId),
      refreshToken: this.deps.tokens.refresh({ sessionId, generation: session.generation }),
      expiresIn: ACCESS_TOKEN_MS / SECOND,
    };
  }
}
