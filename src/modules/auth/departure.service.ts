import { ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Actor } from '../../core/http/route.js';
import { type AccountStatus, type DeletionService, type Departed } from '../users/index.js';
import { type AccountService } from './account.service.js';
import { type Credential } from './auth.models.js';
import { type RequireCode } from './mailed-codes.js';
import { type SessionService } from './session.service.js';

export interface DepartureDeps {
  database: Database;
  clock: Clock;
  deletions: DeletionService;
  departed: Departed;
  status: AccountStatus;
  accounts: AccountService;
  sessions: SessionService;
  requireCode: RequireCode;
  /** How long there is a way back, in milliseconds. */
  graceMs: number;
}

/** Giving one's account up. */
export class DepartureService {
  constructor(private readonly deps: DepartureDeps) {}

  /**
   * Signs out everywhere and hides the account at once; it is erased after the time of grace, unless its owner signs
   * in before.
   * @returns when it is erased
   * @throws Problem 401 `INVALID_CREDENTIALS`, 400 `CODE_INVALID`, 409 `PASSWORD_NOT_SET` or `LAST_ADMIN`, 429 where a
   *   network address failed too often
   */
  async giveUp(actor: Actor, { password, code }: { password: string; code: string }, ip: string): Promise<Date> {
    const { database, clock, deletions, departed, status, accounts, sessions, requireCode, graceMs } = this.deps;
    await accounts.requirePassword(actor.id, password, ip);
    const erasedAt = later(clock.now(), graceMs);
    const ended = await database.inTransaction(async (session) => {
      await status.requireAnotherAdmin(session, actor.id);
      await requireCode(session, actor.id, 'erasure', code);
      await deletions.begin(session, actor.id, erasedAt);
      const _id = new ObjectId(actor.id);
      // A sign-in writes this, too: of the two at once, one comes second and finds what the first has left.
      await database
        .collection<Credential>('credentials')
        .updateOne({ _id }, { $set: { updatedAt: clock.now() } }, { session });
      return sessions.end(session, { userId: _id }, 'accountDeleted');
    });
    sessions.forget(ended);
    departed.forget();
    return erasedAt;
  }
}
