import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { forbidden, notFound } from '../../core/http/problem.js';
import { validationFailed } from '../../core/http/problem-mapping.js';
import { type Actor } from '../../core/http/route.js';
import { type AccountDecision, type AccountStatus, type User } from '../users/index.js';
import { type OneTimeTokens } from './one-time-tokens.js';
import { type SessionService } from './session.service.js';

export interface AccountAdminDeps {
  database: Database;
  clock: Clock;
  status: AccountStatus;
  sessions: SessionService;
  oneTimeTokens: OneTimeTokens;
}

/** What admins decide about the accounts of others. */
export class AccountAdmin {
  constructor(private readonly deps: AccountAdminDeps) {}

  /**
   * Gives a user another role, suspends them, which ends all their sessions, or lifts a suspension. Admins decide about
   * others only, and as long as they are admins: so one always remains.
   * @throws Problem 403 `NOT_YOURSELF`, 404 `USER_NOT_FOUND`, 400 `VALIDATION_FAILED` where a suspension would be over
   */
  async decide(actor: Actor, userId: string, decision: AccountDecision): Promise<User> {
    const { database, status, sessions, oneTimeTokens, clock } = this.deps;
    const { suspendedUntil } = decision;
    if (actor.id === userId) throw forbidden('NOT_YOURSELF', 'Another admin must change your account.');
    if (suspendedUntil && suspendedUntil <= clock.now()) {
      throw validationFailed([{ path: 'body.suspendedUntil', message: 'must be in the future' }]);
    }
    const _id = new ObjectId(userId);
    const { user, ended } = await database.inTransaction(async (session) => {
      if (!(await status.hold(session, actor.id, 'admin'))) throw forbidden();
      const changed = await status.change(session, _id, actor.id, decision);
      if (!changed) throw notFound('USER_NOT_FOUND', 'There is no such user.');
      if (!suspendedUntil) return { user: changed.after, ended: [] };
      await oneTimeTokens.revoke(session, 'twoFactorChallenge', _id);
      return { user: changed.after, ended: await sessions.end(session, { userId: _id }, 'suspended') };
    });
    sessions.forget(ended);
    sessions.forgetUser(userId);
    return user;
  }
}
