import { ObjectId } from 'mongodb';
import { type Clock, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { forbidden, unauthorized } from '../../core/http/problem.js';
import { type Authenticated, type Authenticator } from '../../core/security/authenticator.js';
import { type UserService, userSuspended, userUpdated } from '../users/index.js';
import { sessionEnded } from './auth.events.js';
import { type Session } from './auth.models.js';
import { type Tokens } from './tokens.js';

interface Entry {
  userId: string;
  role: string;
  loadedAt: number;
}

/** The feed drops entries at once; this only bounds what a silent feed could leave behind. */
const TRUST_MS = MINUTE;
const MOST_ENTRIES = 50_000;

/**
 * Tells whom a token speaks for. Sessions are read once and remembered until the feed says that something changed, so
 * that ending a session or changing a role counts from the next request on, on every node, at no cost per request.
 */
export class SessionCache implements Authenticator, FeedSubscriber {
  private readonly entries = new Map<string, Entry>();
  /** Rises with every invalidation, so that a read begun before one is not remembered after it. */
  private version = 0;

  constructor(private readonly deps: { tokens: Tokens; database: Database; users: UserService; clock: Clock }) {}

  async verifyAccessToken(token: string): Promise<Authenticated> {
    const { sessionId, userId, expiresAt } = this.deps.tokens.verifyAccess(token);
    const entry = await this.lookUp(sessionId);
    if (entry?.userId !== userId) throw unauthorized('SESSION_ENDED', 'This session has ended; sign in again.');
    return { actor: { id: userId, role: entry.role, sessionId }, expiresAt };
  }

  onEvents(events: DomainEvent[]): void {
    for (const event of events) {
      if (isEvent(event, sessionEnded)) this.forget(event.data.sessionId);
      else if (isEvent(event, userUpdated) || isEvent(event, userSuspended)) this.forgetUser(event.data.userId);
    }
  }

  onGap(): void {
    this.version += 1;
    this.entries.clear();
  }

  private async lookUp(sessionId: string): Promise<Entry | undefined> {
    const now = this.deps.clock.now().getTime();
    const known = this.entries.get(sessionId);
    if (known && now - known.loadedAt < TRUST_MS) return known;

    const { version } = this;
    const session = await this.deps.database.collection<Session>('sessions').findOne({ _id: new ObjectId(sessionId) });
    if (!session || session.endedAt != null || session.expiresAt.getTime() <= now) return undefined;
    const user = await this.deps.users.find(session.userId.toHexString());
    if (!user) return undefined;
    // Suspending ends all sessions; this one began at the same moment.
    if (user.suspendedUntil != null && user.suspendedUntil.getTime() > now) {
      throw forbidden('ACCOUNT_SUSPENDED', 'This account is suspended.');
    }

    const entry = { userId: user._id.toHexString(), role: user.role, loadedAt: now };
    if (version === this.version) this.remember(sessionId, entry);
    return entry;
  }

  private remember(sessionId: string, entry: Entry): void {
    if (this.entries.size >= MOST_ENTRIES) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    this.entries.set(sessionId, entry);
  }

  /** Reads the session anew at the next request. */
  forget(sessionId: string): void {
    this.version += 1;
    this.entries.delete(sessionId);
  }

  /** The same for all sessions of a user. */
  forgetUser(userId: string): void {
    this.version += 1;
    for (const [sessionId, entry] of this.entries) if (entry.userId === userId) this.entries.delete(sessionId);
  }
}
