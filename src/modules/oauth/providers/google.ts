import { ClientSecretPost } from 'openid-client';
import { OpenIdProvider } from './openid.js';
import { type ClientSettings, type Provider, siteOf, type Surroundings } from './provider.js';

/** https://developers.google.com/identity/openid-connect/openid-connect */
export function google({ clientId, clientSecret }: ClientSettings, surroundings: Surroundings): Provider {
  const name = 'google';
  return new OpenIdProvider({
    name,
    issuer: siteOf(name, 'https://accounts.google.com', surroundings),
    clientId,
    authentication: ClientSecretPost(clientSecret),
    redirectUri: surroundings.redirectUri(name),
    // Whoever uses several Google accounts is asked which one.
    parameters: { scope: 'openid email profile', prompt: 'select_account' },
  });
}
