import { type ClientSession } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { badRequest, conflict, forbidden, notFound, Problem } from '../../core/http/problem.js';
import { type Log } from '../../core/observability/log.js';
import { type AccountService, type Admission, type Challenge, type Device, type SignedIn } from '../auth/index.js';
import { type AccountStatus, type User, type UserService } from '../users/index.js';
import { type Identities } from './identities.js';
import { type OAuthState } from './oauth.models.js';
import { type SignUpRole } from './oauth.schemas.js';
import { asking, refused } from './provider-failure.js';
import { type Attempt, type Profile, type Provider, type ProviderName, type Returned } from './providers/index.js';
import { type SignInStates } from './sign-in-states.js';

export interface OAuthDeps {
  database: Database;
  log: Log;
  providers: ReadonlyMap<ProviderName, Provider>;
  states: SignInStates;
  identities: Identities;
  users: UserService;
  status: AccountStatus;
  accounts: AccountService;
  admission: Admission;
}

/** Where a sign-in ends, and how: with a session, with half of one, or with the code of a problem. */
export interface Outcome {
  returnTo: string;
  result: SignedIn | Challenge | { problem: string };
}

type Answer = Returned & { error?: string | undefined };

/** The words in which providers say that the person has thought better of it. */
const DENIALS: ReadonlySet<string> = new Set(['access_denied', 'user_cancelled_authorize']);

/** Of two sign-ins of the same new person at once, one comes second and finds what the first has made. */
const TRIES = 3;

/** Signing in with an account that someone has elsewhere. */
export class OAuthService {
  constructor(private readonly deps: OAuthDeps) {}

  /** @throws Problem 404 `OAUTH_PROVIDER_UNKNOWN` where it is not configured */
  provider(name: ProviderName): Provider {
    const provider = this.deps.providers.get(name);
    if (!provider) throw notFound('OAUTH_PROVIDER_UNKNOWN', 'Nobody can sign in with this provider here.');
    return provider;
  }

  /**
   * Begins to sign in.
   * @returns where to send the browser, and what only it is to know; or what went wrong
   */
  async start(
    provider: Provider,
    where: Pick<OAuthState, 'returnTo' | 'role'>,
  ): Promise<{ url: URL; attempt: Attempt } | { problem: string }> {
    const attempt = await this.deps.states.begin(provider, where);
    try {
      return { url: await asking(provider.name, this.deps.log, () => provider.authorizationUrl(attempt)), attempt };
    } catch (error) {
      return { problem: codeOf(error) };
    }
  }

  /**
   * Finishes it with what the browser brings back.
   * @throws Problem 400 `OAUTH_STATE_INVALID` where this browser did not begin it, or has finished it
   */
  async finish(provider: Provider, answer: Answer, attempt: Attempt | undefined, device: Device): Promise<Outcome> {
    const begun = attempt && (await this.deps.states.redeem(provider, answer.state, attempt));
    if (!begun) throw badRequest('OAUTH_STATE_INVALID', 'This sign-in cannot be finished. Begin again.');
    const { returnTo, role } = begun;
    try {
      return { returnTo, result: await this.enter(provider, answer, { attempt, role, device }) };
    } catch (error) {
      return { returnTo, result: { problem: codeOf(error) } };
    }
  }

  private async enter(
    provider: Provider,
    answer: Answer,
    { attempt, role, device }: { attempt: Attempt; role: SignUpRole; device: Device },
  ): Promise<SignedIn | Challenge> {
    const { database, log } = this.deps;
    if (answer.error !== undefined && DENIALS.has(answer.error)) {
      throw forbidden('OAUTH_DENIED', 'Signing in was called off.');
    }
    const profile = await asking(provider.name, log, () => provider.identify(answer, attempt));
    for (let tries = 1; ; tries += 1) {
      try {
        return await database.inTransaction(async (session) => {
          const user = await this.userOf(session, provider.name, profile, role);
          await this.deps.accounts.noteSignIn(session, user._id);
          return this.deps.admission.admit(session, user, device);
        });
      } catch (error) {
        if (!isRace(error)) throw error;
        // The address is that of an account whose erasure is under way.
        if (tries === TRIES) throw addressTaken();
      }
    }
  }

  /** Whose account it is: that which is known, else that with the same proven address, else a new one. */
  private async userOf(
    session: ClientSession,
    provider: ProviderName,
    profile: Profile,
    role: SignUpRole,
  ): Promise<User> {
    const { identities, users } = this.deps;
    const known = await identities.signIn(session, provider, profile);
    if (known) {
      const user = await users.findSigningIn(known.userId);
      if (!user) throw refused();
      return user;
    }
    const { subject, email, emailVerified } = profile;
    if (email === undefined) throw forbidden('OAUTH_EMAIL_MISSING', 'The provider did not say any e-mail address.');
    const holder = await users.findByEmail(email);
    // Whoever proves nothing but a name must not get into the account; nor must whoever made an account beforehand, with
    // an address that was never theirs, be waiting in it for its owner.
    const isProven = emailVerified && holder?.emailVerifiedAt != null;
    if (holder && (!isProven || (await identities.has(session, holder._id, provider)))) throw addressTaken();
    const user = holder ?? (await this.create(session, { ...profile, email }, role));
    await identities.link(session, user._id, provider, { subject, email, isNewAccount: !holder });
    return user;
  }

  private async create(
    session: ClientSession,
    { name, email, emailVerified, locale }: Profile & { email: string },
    role: SignUpRole,
  ): Promise<User> {
    const { users, status, accounts } = this.deps;
    const user = await users.create(session, { name: name ?? NAMELESS[locale], email, role, locale });
    if (emailVerified) await status.confirmEmail(session, user._id);
    else await accounts.requestVerification(session, user._id);
    return user;
  }
}

/** Apple lets people keep their name to themselves; an address is no name, since others must not see it. */
const NAMELESS = { en: 'New user', ar: 'مستخدم جديد' } as const;

function addressTaken(): Problem {
  return conflict('OAUTH_ADDRESS_TAKEN', 'There is an account with this address. Sign in to it as before.');
}

/** Whether someone else has just made what was not there. */
function isRace(error: unknown): boolean {
  return isDuplicateKey(error) || (error instanceof Problem && error.code === 'EMAIL_TAKEN');
}

/** What the web app is told; anything but a problem goes on to where errors are answered. */
function codeOf(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  // As where someone signs in with a password to an account whose erasure has begun: there is none any more.
  return error.code === 'INVALID_CREDENTIALS' ? 'OAUTH_REFUSED' : error.code;
}
