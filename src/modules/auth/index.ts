import { type Limiter } from '../../core/http/limits.js';
import { type Module, type ModuleContext } from '../../core/module.js';
import { type KeyRing } from '../../core/security/key-ring.js';
import { AccountStatus, type DeletionService, type Departed, type UserService } from '../users/index.js';
import { AccountAdmin } from './account-admin.js';
import { adminRoutes } from './admin.routes.js';
import { accountRoutes } from './account.routes.js';
import { AccountService, type OtherWaysIn } from './account.service.js';
import { Admission } from './admission.js';
import { authEvents } from './auth.events.js';
import { authData } from './auth.personal-data.js';
import { authRoutes } from './auth.routes.js';
import { AuthService } from './auth.service.js';
import { codeRoutes } from './code.routes.js';
import { EmailChangeService } from './email-change.service.js';
import { mailSecrets } from './mail-secrets.js';
import { MailedCodes, type PhoneCodes, type RequireCode } from './mailed-codes.js';
import { departureRoutes } from './departure.routes.js';
import { DepartureService } from './departure.service.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { Passwords } from './password.js';
import { RefreshCookie, type RefreshCookieOptions } from './refresh-cookie.js';
import { SessionCache } from './session-cache.js';
import { sessionRoutes } from './session.routes.js';
import { SessionService } from './session.service.js';
import { SignInGuard } from './sign-in-guard.js';
import { Tokens } from './tokens.js';
import { TwoFactorService } from './two-factor.js';
import { twoFactorRoutes } from './two-factor.routes.js';

export {
  codeRequested,
  emailChanged,
  emailChangeRequested,
  emailVerificationRequested,
  passwordChanged,
  passwordResetRequested,
  sessionEnded,
  recoveryCodeUsed,
  recoveryCodesRenewed,
  sessionStarted,
  signInFailed,
  twoFactorDisabled,
  twoFactorEnabled,
} from './auth.events.js';
export { authCollections, type CodePurpose } from './auth.models.js';
export { code as mailedCode } from './auth.schemas.js';
export { type AccountService, type OtherWaysIn } from './account.service.js';
export { type Admission, type Challenge } from './admission.js';
export { type Device, deviceOf } from './device.js';
export { MAILED_CODE_MS, type PhoneCodes, type RequireCode } from './mailed-codes.js';
export { type RefreshCookie } from './refresh-cookie.js';
export { type SignedIn } from './session.service.js';

export interface AuthOptions {
  users: UserService;
  deletions: DeletionService;
  departed: Departed;
  /** How long who gave an account up can take it back, in milliseconds. */
  graceMs: number;
  keys: KeyRing;
  limiter: Limiter;
  /** How else one may come into an account: closed where its owner proves to be another than who made it. */
  otherWaysIn: OtherWaysIn;
  cookie: RefreshCookieOptions;
  passwordMemoryKib: number;
}

/** Registration, sign-in, sessions, and what guards an account. */
export function createAuth(
  { database, outbox, clock }: ModuleContext,
  {
    users,
    deletions,
    departed,
    graceMs,
    keys,
    limiter,
    otherWaysIn,
    cookie: cookieOptions,
    passwordMemoryKib,
  }: AuthOptions,
): Module & {
  service: AuthService;
  sessions: SessionCache;
  /** What belongs into a mail that is about to be sent: the token of a link, or a code. */
  mailSecrets: ReturnType<typeof mailSecrets>;
  requireCode: RequireCode;
  /** For showing that a phone is one's own. */
  phoneCodes: PhoneCodes;
  /** For other ways to sign in than by password. */
  accounts: AccountService;
  admission: Admission;
  cookie: RefreshCookie;
} {
  const tokens = new Tokens(keys, clock);
  const guard = new SignInGuard(limiter);
  const passwords = new Passwords(passwordMemoryKib);
  const status = new AccountStatus({ database, outbox, clock });
  const oneTimeTokens = new OneTimeTokens(keys, { database, clock });
  const cache = new SessionCache({ tokens, database, users, clock });
  const sessions = new SessionService({ database, outbox, clock, tokens, cache, deletions });
  const codes = new MailedCodes(keys, { database, outbox, clock, guard });
  const requireCode = codes.require;
  const accounts = new AccountService({
    database,
    outbox,
    clock,
    users,
    status,
    sessions,
    oneTimeTokens,
    guard,
    passwords,
    requireCode,
    otherWaysIn,
  });
  const twoFactor = new TwoFactorService(keys, { database, outbox, clock, guard });
  const admission = new Admission({ database, clock, users, sessions, oneTimeTokens, twoFactor, guard });
  const service = new AuthService({
    database,
    outbox,
    clock,
    users,
    status,
    sessions,
    accounts,
    admission,
    guard,
    passwords,
  });
  const emailChange = new EmailChangeService({
    database,
    outbox,
    users,
    status,
    accounts,
    oneTimeTokens,
    requireCode,
  });
  const admin = new AccountAdmin({ database, clock, status, sessions, oneTimeTokens });
  const departures = new DepartureService({
    database,
    clock,
    deletions,
    departed,
    status,
    accounts,
    sessions,
    requireCode,
    graceMs,
  });
  const cookie = new RefreshCookie(cookieOptions);
  return {
    service,
    sessions: cache,
    mailSecrets: mailSecrets(oneTimeTokens, codes),
    requireCode,
    phoneCodes: codes,
    accounts,
    admission,
    cookie,
    routes: [
      ...authRoutes({ auth: service, sessions, cookie }),
      ...sessionRoutes({ sessions, cookie }),
      ...accountRoutes(accounts),
      ...adminRoutes(admin),
      ...codeRoutes({ codes, emailChange }),
      ...twoFactorRoutes({ twoFactor, admission, accounts, users, cookie }),
      ...departureRoutes({ departures, cookie }),
    ],
    events: authEvents,
    personalData: [authData({ database })],
  };
}
