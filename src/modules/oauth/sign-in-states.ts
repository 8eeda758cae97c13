import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, later, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type OAuthState, oauthStateCollection } from './oauth.models.js';
import { type Attempt, type Provider } from './providers/index.js';

/** How long someone may take at the provider. */
export const ATTEMPT_MS = 10 * MINUTE;

const SECRET_BYTES = 32;

/** Sign-ins that have begun: each can be finished once, in time, and by the browser that began it. */
export class SignInStates {
  constructor(private readonly deps: { database: Database; clock: Clock }) {}

  /** @returns what only the browser is to know */
  async begin(provider: Provider, { returnTo, role }: Pick<OAuthState, 'returnTo' | 'role'>): Promise<Attempt> {
    const attempt = { state: secret(), verifier: secret(), nonce: secret() };
    await this.rows.insertOne({
      _id: hash(attempt.state),
      provider: provider.name,
      returnTo,
      role,
      expiresAt: later(this.deps.clock.now(), ATTEMPT_MS),
    });
    return attempt;
  }

  /** Takes a sign-in up again; of many times at once, one succeeds. */
  async redeem(provider: Provider, state: string | undefined, attempt: Attempt): Promise<OAuthState | undefined> {
    if (state === undefined || !isSame(state, attempt.state)) return undefined;
    const filter = { _id: hash(state), provider: provider.name, expiresAt: { $gt: this.deps.clock.now() } };
    return (await this.rows.findOneAndDelete(filter)) ?? undefined;
  }

  private get rows() {
    return this.deps.database.collection<OAuthState>(oauthStateCollection.name);
  }
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function hash(state: string): string {
  return createHash('sha256').update(state).digest('base64url');
}

function isSame(given: string, known: string): boolean {
  // Of hashes, which are of one length.
  return timingSafeEqual(Buffer.from(hash(given)), Buffer.from(hash(known)));
}
