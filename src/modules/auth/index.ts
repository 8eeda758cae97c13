import { type Limiter } from '../../core/http/limits.js';
import { type Module, type ModuleContext } from '../../core/module.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { AccountStatus, type DeletionService, type Departed, type UserService } from '../users/index.js';
import { accountRoutes } from './account.routes.js';
import { AccountService } from './account.service.js';
import { authEvents } from './auth.events.js';
import { authData } from './auth.personal-data.js';
import { authRoutes } from './auth.routes.js';
import { AuthService } from './auth.service.js';
import { departureRoutes } from './departure.routes.js';
import { DepartureService } from './departure.service.js';
import { linkCompleter } from './links.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { RefreshCookie, type RefreshCookieOptions } from './refresh-cookie.js';
import { SessionCache } from './session-cache.js';
import { sessionRoutes } from './session.routes.js';
import { SessionService } from './session.service.js';
import { SignInGuard } from './sign-in-guard.js';
import { Tokens } from './tokens.js';

export {
  emailVerificationRequested,
  passwordChanged,
  passwordResetRequested,
  sessionEnded,
  sessionStarted,
} from './auth.events.js';
export { authCollections } from './auth.models.js';

export interface AuthOptions {
  users: UserService;
  deletions: DeletionService;
  departed: Departed;
  /** How long who gave an account up can take it back, in milliseconds. */
  graceMs: number;
  keys: KeyRing;
  limiter: Limiter;
  cookie: RefreshCookieOptions;
}

/** Registration, sign-in, sessions, and what guards an account. */
export function createAuth(
  { database, outbox, clock }: ModuleContext,
  { users, deletions, departed, graceMs, keys, limiter, cookie: cookieOptions }: AuthOptions,
): Module & {
  service: AuthService;
  sessions: SessionCache;
  /** Adds its token to a link that is about to be mailed. */
  completeLink: (deepLink: string, entity: { kind: string; id: string }) => string;
} {
  const tokens = new Tokens(keys, clock);
  const guard = new SignInGuard(limiter);
  const status = new AccountStatus({ database, outbox, clock });
  const oneTimeTokens = new OneTimeTokens(keys, { database, clock });
  const cache = new SessionCache({ tokens, database, users, clock });
  const sessions = new SessionService({ database, outbox, clock, tokens, cache, deletions });
  const accounts = new AccountService({
    database,
    outbox,
    clock,
    users,
    status,
    sessions,
    oneTimeTokens,
    guard,
  });
  const service = new AuthService({ database, clock, users, status, sessions, accounts, guard });
  const departures = new DepartureService({
    database,
    clock,
    deletions,
    departed,
    accounts,
    sessions,
    graceMs,
  });
  const cookie = new RefreshCookie(cookieOptions);
  return {
    service,
    sessions: cache,
    completeLink: linkCompleter(oneTimeTokens),
    routes: [
      ...authRoutes({ auth: service, sessions, cookie }),
      ...sessionRoutes({ sessions, cookie }),
      ...accountRoutes(accounts),
      ...departureRoutes({ departures, cookie }),
    ],
    events: authEvents,
    personalData: [authData({ database })],
  };
}
