import * as oauth from 'openid-client';
import { authorizationParameters, exchange, PATIENCE, preparations, translateRefusals } from './client.js';
import {
  type Attempt,
  type ClientSettings,
  type Profile,
  type Provider,
  type ProviderName,
  type Returned,
} from './provider.js';

export interface PlainOptions extends ClientSettings {
  name: ProviderName;
  server: { issuer: string; authorization_endpoint: string; token_endpoint: string };
  scope: string;
  redirectUri: string;
  /** Whether the body of an answer means that the code is not good, said in the provider's own way. */
  isRefusal: (body: unknown) => boolean;
  /** Asks the provider's own interface who it is. */
  read: (ask: (url: string) => Promise<unknown>) => Promise<Profile>;
}

/** A provider that speaks OAuth 2.0 and nothing more: it lets us ask who it is, in a way of its own. */
export class OAuthProvider implements Provider {
  readonly name: ProviderName;
  readonly postsBack = false;
  private readonly config: oauth.Configuration;

  constructor(private readonly options: PlainOptions) {
    const { name, server, clientId, clientSecret, isRefusal } = options;
    this.name = name;
    this.config = new oauth.Configuration(server, clientId, undefined, oauth.ClientSecretPost(clientSecret));
    this.config.timeout = PATIENCE;
    this.config[oauth.customFetch] = translateRefusals(isRefusal);
    for (const prepare of preparations(server.issuer)) prepare(this.config);
  }

  async authorizationUrl(attempt: Attempt): Promise<URL> {
    const { redirectUri, scope } = this.options;
    const common = await authorizationParameters(attempt, redirectUri);
    return oauth.buildAuthorizationUrl(this.config, { ...common, scope });
  }

  async identify(returned: Returned, attempt: Attempt): Promise<Profile> {
    const { access_token: token } = await exchange(this.config, this.options.redirectUri, returned, attempt);
    return this.options.read((url) => readJson(this.config, token, url));
  }
}

/** @throws Error where the provider answers anything but JSON */
async function readJson(config: oauth.Configuration, accessToken: string, url: string): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' });
  const response = await oauth.fetchProtectedResource(config, accessToken, new URL(url), 'GET', null, headers);
  if (!response.ok) throw new Error(`the provider answers ${response.status}`);
  return response.json();
}
