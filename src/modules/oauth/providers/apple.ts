import jwt from 'jsonwebtoken';
import { type ClientAuth } from 'openid-client';
import { MINUTE, SECOND } from '../../../core/clock.js';
import { OpenIdProvider } from './openid.js';
import { type Provider, type Returned, siteOf, type Surroundings } from './provider.js';

const SECRET_LIFE_SECONDS = (5 * MINUTE) / SECOND;

export interface AppleSettings {
  clientId: string;
  teamId: string;
  keyId: string;
  /** PEM. */
  privateKey: string;
}

/** https://developer.apple.com/documentation/signinwithapplerestapi */
export function apple(settings: AppleSettings, surroundings: Surroundings): Provider {
  const name = 'apple';
  return new OpenIdProvider({
    name,
    issuer: siteOf(name, 'https://appleid.apple.com', surroundings),
    clientId: settings.clientId,
    authentication: signedSecret(settings),
    redirectUri: surroundings.redirectUri(name),
    // Whoever asks for more than `openid` must take the answer as a form.
    parameters: { scope: 'openid name email', response_mode: 'form_post' },
    postsBack: true,
    nameOf: nameIn,
  });
}

/** Apple gives out no secret but a key, by which we sign one for each request. */
function signedSecret({ clientId, teamId, keyId, privateKey }: AppleSettings): ClientAuth {
  return (server, _client, body) => {
    const secret = jwt.sign({}, privateKey, {
      algorithm: 'ES256',
      keyid: keyId,
      issuer: teamId,
      audience: server.issuer,
      subject: clientId,
      expiresIn: SECRET_LIFE_SECONDS,
    });
    body.set('client_id', clientId);
    body.set('client_secret', secret);
  };
}

/**
 * The name as the form has it, which comes once and unsigned: it is believed as what people say of themselves, and so
 * is nothing else in there.
 */
function nameIn({ user }: Returned): string | undefined {
  if (user === undefined) return undefined;
  try {
    const { name } = JSON.parse(user) as { name?: { firstName?: unknown; lastName?: unknown } | null };
    const parts = [name?.firstName, name?.lastName];
    return parts.filter((part) => typeof part === 'string').join(' ');
  } catch {
    return undefined;
  }
}
