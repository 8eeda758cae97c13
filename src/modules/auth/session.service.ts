import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock, DAY, later, SECOND } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { notFound, unauthorized } from '../../core/http/problem.js';
import { type DeletionService, type User } from '../users/index.js';
import { type SessionEnd, sessionEnded, sessionStarted } from './auth.events.js';
import { type KnownDevice, type Session } from './auth.models.js';
import { describeDevice, type Device } from './device.js';
import { type SessionCache } from './session-cache.js';
import { ACCESS_TOKEN_MS, type Tokens } from './tokens.js';

export const REFRESH_TOKEN_MS = 30 * DAY;
/** Two tabs may refresh at once: for this long the spent token still gives the same successor. */
const REUSE_GRACE_MS = 10 * SECOND;

export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token ends. */
  expiresIn: number;
}

export type SignedIn = IssuedTokens & { user: User };

export interface SessionDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  tokens: Tokens;
  cache: SessionCache;
  deletions: Pick<DeletionService, 'takeBack'>;
}

/** Sessions: begun by a sign-in, carried on by refresh tokens, ended by their owner or for the owner's safety. */
export class SessionService {
  constructor(private readonly deps: SessionDeps) {}

  /**
   * Begins a session within the caller's transaction; whoever gave the account up takes it back by that.
   * @throws Problem 401 `INVALID_CREDENTIALS` where the account is being erased
   */
  async start(session: ClientSession, user: User, device: Device): Promise<SignedIn> {
    const { outbox, clock, deletions } = this.deps;
    if (!(await deletions.takeBack(session, user._id))) {
      throw unauthorized('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
    }
    const now = clock.now();
    const started = {
      _id: new ObjectId(),
      userId: user._id,
      generation: 0,
      rotatedAt: now,
      expiresAt: later(now, REFRESH_TOKEN_MS),
      ip: device.ip,
      ...(device.userAgent !== undefined && { userAgent: device.userAgent }),
      createdAt: now,
    };
    const isNewDevice = await this.meet(session, user._id, device);
    await this.collection.insertOne(started, { session });
    const [sessionId, userId] = [started._id.toHexString(), user._id.toHexString()];
    await outbox.record(session, sessionStarted, {
      actorId: userId,
      entity: { kind: 'session', id: sessionId },
      audience: { userIds: [userId] },
      data: { sessionId, userId, device: describeDevice(device.userAgent), place: device.ip, isNewDevice },
    });
    return { user, ...this.issue(started) };
  }

  /**
   * Rotates a refresh token: each works once. A second use, unless it comes at once as from two tabs, means that
   * someone else has the token: the whole session ends.
   * @throws Problem 401 `REFRESH_TOKEN_INVALID` or `REFRESH_TOKEN_REUSED`
   */
  async refresh(token: string): Promise<IssuedTokens> {
    const { tokens, clock, database } = this.deps;
    const claims = tokens.verifyRefresh(token);
    if (!claims) throw unauthorized('REFRESH_TOKEN_INVALID', 'The refresh token is not valid.');
    const now = clock.now();
    const rotated = await this.collection.findOneAndUpdate(
      {
        _id: new ObjectId(claims.sessionId),
        generation: claims.generation,
        endedAt: { $exists: false },
        expiresAt: { $gt: now },
      },
      { $inc: { generation: 1 }, $set: { rotatedAt: now, expiresAt: later(now, REFRESH_TOKEN_MS) } },
      { returnDocument: 'after' },
    );
    const session: Session | null = rotated ?? (await this.collection.findOne({ _id: new ObjectId(claims.sessionId) }));
    if (!session || session.endedAt != null || session.expiresAt <= now) {
      throw unauthorized('REFRESH_TOKEN_INVALID', 'The refresh token is not valid.');
    }
    const isTwin =
      session.generation === claims.generation + 1 && now.getTime() - session.rotatedAt.getTime() <= REUSE_GRACE_MS;
    if (!rotated && !isTwin) {
      this.forget(await database.inTransaction((transaction) => this.end(transaction, { _id: session._id }, 'reuse')));
      throw unauthorized('REFRESH_TOKEN_REUSED', 'This refresh token was used before; the session has ended.');
    }
    return this.issue(session);
  }

  /** One's own sessions that have not ended, the newest first. */
  async list(userId: string): Promise<Session[]> {
    return this.collection
      .find({
        userId: new ObjectId(userId),
        endedAt: { $exists: false },
        expiresAt: { $gt: this.deps.clock.now() },
      })
      .sort({ _id: -1 })
      .limit(100)
      .toArray();
  }

  /** Ends the session that asks for it; ending it again changes nothing. */
  async signOut(sessionId: string, userId: string): Promise<void> {
    await this.endOwn(sessionId, userId, 'logout');
  }

  /** @throws Problem 404 `SESSION_NOT_FOUND` where it is not one's own or has ended */
  async revoke(sessionId: string, userId: string): Promise<void> {
    if ((await this.endOwn(sessionId, userId, 'revoked')).length === 0) {
      throw notFound('SESSION_NOT_FOUND', 'There is no such session.');
    }
  }

  /** Ends all sessions of a user. */
  async signOutEverywhere(userId: string): Promise<void> {
    const whose = { userId: new ObjectId(userId) };
    this.forget(await this.deps.database.inTransaction((session) => this.end(session, whose, 'revoked')));
  }

  /**
   * Ends sessions within the caller's transaction, all of a user's or one, but for the one to be kept.
   * @returns the ids of those that ended now, to be forgotten once that is committed
   */
  async end(
    session: ClientSession,
    which: { userId?: ObjectId; _id?: ObjectId },
    reason: SessionEnd,
    keepId?: string,
  ): Promise<string[]> {
    const { outbox, clock } = this.deps;
    const open = (await this.collection.find({ ...which, endedAt: { $exists: false } }, { session }).toArray()).filter(
      ({ _id }) => _id.toHexString() !== keepId,
    );
    if (open.length === 0) return [];
    await this.collection.updateMany(
      { _id: { $in: open.map(({ _id }) => _id) } },
      { $set: { endedAt: clock.now() } },
      { session },
    );
    await outbox.recordAll(
      session,
      sessionEnded,
      open.map(({ _id, userId: owner }) => {
        const [sessionId, userId] = [_id.toHexString(), owner.toHexString()];
        return {
          actorId: userId,
          entity: { kind: 'session', id: sessionId },
          audience: { userIds: [userId] },
          data: { sessionId, userId, reason },
        };
      }),
    );
    return open.map(({ _id }) => _id.toHexString());
  }

  /** Lets no request in by these sessions from now on. The other nodes hear of it through the feed, a moment later. */
  forget(sessionIds: string[]): void {
    for (const sessionId of sessionIds) this.deps.cache.forget(sessionId);
  }

  /** Reads a user's role anew at the next request; likewise elsewhere a moment later. */
  forgetUser(userId: string): void {
    this.deps.cache.forgetUser(userId);
  }

  private async endOwn(sessionId: string, userId: string, reason: SessionEnd): Promise<string[]> {
    const which = { _id: new ObjectId(sessionId), userId: new ObjectId(userId) };
    const ended = await this.deps.database.inTransaction((session) => this.end(session, which, reason));
    this.forget(ended);
    return ended;
  }

  /** Notes the kind of device; tells whether it is a new one of an account that has been used before. */
  private async meet(session: ClientSession, userId: ObjectId, { userAgent }: Device): Promise<boolean> {
    const devices = this.deps.database.collection<KnownDevice>('knownDevices');
    const device = describeDevice(userAgent);
    const known = await devices.find({ userId }, { session, projection: { device: 1 } }).toArray();
    if (known.some((each) => each.device === device)) return false;
    await devices.updateOne(
      { userId, device },
      { $setOnInsert: { firstSeenAt: this.deps.clock.now() } },
      { upsert: true, session },
    );
    return known.length > 0;
  }

  private get collection() {
    return this.deps.database.collection<Session>('sessions');
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
