import * as oauth from 'openid-client';
import { authorizationParameters, exchange, PATIENCE, preparations } from './client.js';
import { profileOf, type Statement } from './profile.js';
import { type Attempt, type Profile, type Provider, type ProviderName, type Returned } from './provider.js';

export interface OpenIdOptions {
  name: ProviderName;
  issuer: string;
  clientId: string;
  /** How we show the provider who we are. */
  authentication: oauth.ClientAuth;
  redirectUri: string;
  /** What else the request for authorization says: at least its `scope`. */
  parameters: Record<string, string>;
  postsBack?: boolean;
  /** Reads the name, where it does not stand in the token. */
  nameOf?: (returned: Returned) => string | undefined;
}

/** A provider that speaks OpenID Connect: it says itself where it is asked, and signs what it says of people. */
export class OpenIdProvider implements Provider {
  readonly name: ProviderName;
  readonly postsBack: boolean;
  private discovered: Promise<oauth.Configuration> | undefined;

  constructor(private readonly options: OpenIdOptions) {
    this.name = options.name;
    this.postsBack = options.postsBack ?? false;
  }

  async authorizationUrl(attempt: Attempt): Promise<URL> {
    const { redirectUri, parameters } = this.options;
    const common = await authorizationParameters(attempt, redirectUri);
    return oauth.buildAuthorizationUrl(await this.configuration(), { ...common, ...parameters, nonce: attempt.nonce });
  }

  async identify(returned: Returned, attempt: Attempt): Promise<Profile> {
    const { redirectUri, nameOf } = this.options;
    const checks = { expectedNonce: attempt.nonce };
    const tokens = await exchange(await this.configuration(), redirectUri, returned, attempt, checks);
    return profileOf(statementOf(tokens.claims(), nameOf?.(returned)));
  }

  /** Asked once; where that failed, again at the next sign-in. */
  private configuration(): Promise<oauth.Configuration> {
    const { issuer, clientId, authentication } = this.options;
    this.discovered ??= oauth
      .discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: PATIENCE,
        // The token comes from the provider itself; its signature is checked all the same.
        execute: [oauth.enableNonRepudiationChecks, ...preparations(issuer)],
      })
      .catch((error: unknown) => {
        this.discovered = undefined;
        throw error;
      });
    return this.discovered;
  }
}

function statementOf(claims: oauth.IDToken | undefined, otherName: string | undefined): Statement {
  const verified = claims?.['email_verified'];
  return {
    subject: claims?.sub,
    email: claims?.['email'],
    // Apple has long said it as a string.
    emailVerified: verified === true || verified === 'true',
    name: claims?.['name'] ?? otherName,
    locale: claims?.['locale'],
  };
}
