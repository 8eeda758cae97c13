import { open, shape, text } from '../../../core/http/schema.js';
import { OAuthProvider } from './plain.js';
import { expectShape, profileOf } from './profile.js';
import { type ClientSettings, type Provider, siteOf, type Surroundings } from './provider.js';

const VERSION = 'v23.0';
const ACCOUNT = open(shape({ id: text() }, { name: text({ min: 0 }), email: text({ min: 0 }) }));

/** https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow */
export function facebook(settings: ClientSettings, surroundings: Surroundings): Provider {
  const name = 'facebook';
  const site = siteOf(name, 'https://www.facebook.com', surroundings);
  const api = `${siteOf(name, 'https://graph.facebook.com', surroundings)}/${VERSION}`;
  return new OAuthProvider({
    ...settings,
    name,
    server: {
      issuer: site,
      authorization_endpoint: `${site}/${VERSION}/dialog/oauth`,
      token_endpoint: `${api}/oauth/access_token`,
    },
    scope: 'public_profile email',
    redirectUri: surroundings.redirectUri(name),
    // An object where the standard has a word; the other codes say that it is our own mistake, or theirs.
    isRefusal: (body) => (body as { error?: { code?: unknown } } | undefined)?.error?.code === 100,
    async read(ask) {
      const { id, ...rest } = expectShape(ACCOUNT, await ask(`${api}/me?fields=id,name,email`));
      // Nothing says whether the person has ever confirmed the address.
      return profileOf({ subject: id, ...rest, emailVerified: false });
    },
  });
}
