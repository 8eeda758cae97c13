import { ObjectId } from 'mongodb';
import { HOUR } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { badRequest, conflict } from '../../core/http/problem.js';
import { type AccountStatus, type UserService } from '../users/index.js';
import { type AccountService, invalidToken } from './account.service.js';
import { emailChanged, emailChangeRequested } from './auth.events.js';
import { type RequireCode } from './mailed-codes.js';
import { type OneTimeTokens } from './one-time-tokens.js';

const CONFIRMATION_MS = HOUR;

export interface EmailChangeDeps {
  database: Database;
  outbox: Outbox;
  users: UserService;
  status: AccountStatus;
  accounts: AccountService;
  oneTimeTokens: OneTimeTokens;
  requireCode: RequireCode;
}

/** Another e-mail address for an account: asked for by who reads the old one, in force once the new one has answered. */
export class EmailChangeService {
  constructor(private readonly deps: EmailChangeDeps) {}

  /**
   * Has a link mailed to the new address. Until it is opened nothing changes; asking again makes earlier links useless.
   * @throws Problem 401 `INVALID_CREDENTIALS`, 400 `CODE_INVALID` or `EMAIL_UNCHANGED`, 409 `EMAIL_TAKEN` or
   *   `PASSWORD_NOT_SET`
   */
  async request(
    userId: string,
    { newEmail, password, code }: { newEmail: string; password: string; code: string },
    ip: string,
  ): Promise<void> {
    const { accounts, users, database, oneTimeTokens, outbox, requireCode } = this.deps;
    await accounts.requirePassword(userId, password, ip);
    const holder = await users.findByEmail(newEmail);
    if (holder?._id.toHexString() === userId) {
      throw badRequest('EMAIL_UNCHANGED', 'This is the address of your account already.');
    }
    if (holder) throw conflict('EMAIL_TAKEN', 'There is an account with this e-mail address.');
    await database.inTransaction(async (session) => {
      await requireCode(session, userId, 'emailChange', code);
      const owner = new ObjectId(userId);
      const purpose = 'emailChange';
      await oneTimeTokens.revoke(session, purpose, owner);
      const tokenId = await oneTimeTokens.create(session, {
        userId: owner,
        purpose,
        lifeMs: CONFIRMATION_MS,
        email: newEmail,
      });
      await outbox.record(session, emailChangeRequested, {
        entity: { kind: purpose, id: tokenId },
        data: { userId, tokenId, newEmail },
      });
    });
  }

  /**
   * Gives the account its new address, by the token that was mailed there, and tells the old one.
   * @throws Problem 400 `ONE_TIME_TOKEN_INVALID`, 409 `EMAIL_TAKEN` where someone else was quicker
   */
  async confirm(token: string): Promise<void> {
    const { database, oneTimeTokens, status, outbox } = this.deps;
    await database.inTransaction(async (session) => {
      const row = await oneTimeTokens.redeem(session, 'emailChange', token);
      if (row?.email == null) throw invalidToken();
      const previousEmail = await status.changeEmail(session, row.userId, row.email);
      if (previousEmail === undefined) throw invalidToken();
      // Links that lie in the old mailbox must open nothing any more.
      for (const purpose of ['passwordReset', 'emailVerification'] as const) {
        await oneTimeTokens.revoke(session, purpose, row.userId);
      }
      const userId = row.userId.toHexString();
      await outbox.record(session, emailChanged, {
        actorId: userId,
        entity: { kind: 'user', id: userId },
        audience: { userIds: [userId] },
        data: { userId, changeId: row._id.toHexString(), previousEmail },
      });
    });
  }
}
