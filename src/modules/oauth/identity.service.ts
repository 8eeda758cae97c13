import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { conflict, notFound } from '../../core/http/problem.js';
import { type AccountService } from '../auth/index.js';
import { type Identities } from './identities.js';
import { type ProviderName } from './providers/index.js';

export interface IdentityServiceDeps {
  database: Database;
  identities: Identities;
  accounts: AccountService;
}

/** What users do with the providers' accounts that sign in to theirs. */
export class IdentityService {
  constructor(private readonly deps: IdentityServiceDeps) {}

  /**
   * Lets a provider's account sign in no more.
   * @throws Problem 404 `IDENTITY_NOT_FOUND`, 409 `LAST_SIGN_IN_METHOD` where nothing else would sign in
   */
  async unlink(userId: string, provider: ProviderName): Promise<void> {
    const { database, identities, accounts } = this.deps;
    const _id = new ObjectId(userId);
    await database.inTransaction(async (session) => {
      if (!(await identities.unlink(session, _id, provider))) {
        throw notFound('IDENTITY_NOT_FOUND', 'This account is not linked to one of that provider.');
      }
      if ((await accounts.hasPassword(session, _id)) || (await identities.hold(session, _id))) return;
      throw conflict('LAST_SIGN_IN_METHOD', 'Nothing else signs in to this account. Set a password first.');
    });
  }
}
