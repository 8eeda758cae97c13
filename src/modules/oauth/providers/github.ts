import { flag, list, nullable, open, shape, text, whole } from '../../../core/http/schema.js';
import { OAuthProvider } from './plain.js';
import { expectShape, profileOf } from './profile.js';
import { type ClientSettings, type Provider, siteOf, type Surroundings } from './provider.js';

const ACCOUNT = open(shape({ id: whole(), login: text() }, { name: nullable(text({ min: 0 })) }));
const ADDRESSES = list(open(shape({ email: text(), primary: flag(), verified: flag() })));

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
export function github(settings: ClientSettings, surroundings: Surroundings): Provider {
  const name = 'github';
  const issuer = `${siteOf(name, 'https://github.com', surroundings)}/login/oauth`;
  const api = siteOf(name, 'https://api.github.com', surroundings);
  return new OAuthProvider({
    ...settings,
    name,
    server: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/access_token`,
    },
    scope: 'read:user user:email',
    redirectUri: surroundings.redirectUri(name),
    // With status 200.
    isRefusal: (body) => (body as { error?: unknown } | undefined)?.error === 'bad_verification_code',
    async read(ask) {
      const account = expectShape(ACCOUNT, await ask(`${api}/user`));
      const addresses = expectShape(ADDRESSES, await ask(`${api}/user/emails`));
      const primary = addresses.find((address) => address.primary);
      return profileOf({
        // Logins can be changed, and then taken by someone else.
        subject: String(account.id),
        email: primary?.email,
        emailVerified: primary?.verified ?? false,
        name: account.name?.trim() ? account.name : account.login,
      });
    },
  });
}
