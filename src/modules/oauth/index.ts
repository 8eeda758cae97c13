import { type Module, type ModuleContext } from '../../core/module.js';
import { type AccountService, type Admission, type RefreshCookie } from '../auth/index.js';
import { AccountStatus, type UserService } from '../users/index.js';
import { AttemptCookie } from './attempt-cookie.js';
import { type Identities } from './identities.js';
import { identityRoutes } from './identity.routes.js';
import { IdentityService } from './identity.service.js';
import { oauthEvents } from './oauth.events.js';
import { oauthData } from './oauth.personal-data.js';
import { oauthRoutes } from './oauth.routes.js';
import { OAuthService } from './oauth.service.js';
import { createProviders, type ProviderSettings } from './providers/index.js';
import { SignInStates } from './sign-in-states.js';

export { Identities } from './identities.js';
export { identityLinked, identityUnlinked } from './oauth.events.js';
export { oauthCollections } from './oauth.models.js';
export { type ProviderName } from './providers/index.js';

export interface OAuthOptions {
  users: UserService;
  identities: Identities;
  accounts: AccountService;
  admission: Admission;
  refresh: RefreshCookie;
  /** Where people reach the web app, and browsers the API below it. */
  publicUrl: string;
  providers: ProviderSettings;
  /** Stands in for all providers, outside production. */
  endpoint?: string | undefined;
}

/** Signing in with an account that someone has with Google, GitHub, Apple or Facebook. */
export function createOAuth(
  { database, outbox, clock, log }: ModuleContext,
  { users, identities, accounts, admission, refresh, publicUrl, providers: settings, endpoint }: OAuthOptions,
): Module {
  const redirectUri = (name: string): string => new URL(`/api/v1/auth/oauth/${name}/callback`, publicUrl).href;
  const providers = createProviders(settings, { redirectUri, endpoint });
  const states = new SignInStates({ database, clock });
  const status = new AccountStatus({ database, outbox, clock });
  const oauth = new OAuthService({
    database,
    log,
    providers,
    states,
    identities,
    users,
    status,
    accounts,
    admission,
  });
  const attempts = new AttemptCookie(publicUrl.startsWith('https:'));
  const service = new IdentityService({ database, identities, accounts });
  return {
    routes: [
      ...oauthRoutes({ oauth, names: [...providers.keys()], attempts, refresh, publicUrl }),
      ...identityRoutes({ identities, service }),
    ],
    events: oauthEvents,
    personalData: [oauthData({ database })],
  };
}
