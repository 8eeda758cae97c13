import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { interactionPolicy, Provider } from 'oidc-provider';
import { memoryAdapter } from './openid-memory.js';

/** Someone's account with a provider. */
export interface ProviderAccount {
  /** What names the person there for good. */
  subject: string;
  /** What an ID token says beside it. */
  claims?: Record<string, unknown>;
  /** What the provider's own interface answers to who has the person's access token, by path. */
  api?: Record<string, unknown>;
  /** What Apple adds to the form that it has the browser post. */
  user?: object;
}

export interface HouseOptions {
  /** Where it is, with its path. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The one address that it sends browsers back to. */
  redirectUri: string;
  scopes: string[];
  /** Where a real one has its endpoints, where that is not for it to say. */
  routes?: { authorization: string; token: string };
  /** Judges the client's secret, where it is not a fixed one. */
  secretFits?: (secret: string) => boolean;
}

/** One provider: a real OpenID provider with the accounts that tests give it, and an interface of its own beside it. */
export class ProviderHouse {
  readonly accounts = new Map<string, ProviderAccount>();
  private readonly provider: Provider;
  private readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(private readonly options: HouseOptions) {
    const { issuer, clientId, clientSecret, redirectUri, scopes, routes, secretFits } = options;
    this.provider = new Provider(issuer, {
      adapter: memoryAdapter(),
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code'],
          response_types: ['code'],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      scopes,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale'] },
      // As the great ones do: all of it stands in the ID token.
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      ...(routes && { routes }),
      jwks: { keys: [signingKey()] },
      cookies: { keys: ['a key of the tests'] },
      ttl: Object.fromEntries(
        ['AccessToken', 'AuthorizationCode', 'Grant', 'IdToken', 'Interaction', 'Session'].map((one) => [one, 600]),
      ),
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => `${new URL(issuer).pathname}/interaction`, policy: withChoiceOfAccount() },
      findAccount: (_ctx: unknown, subject: string) => ({
        accountId: subject,
        claims: () => ({ sub: subject, ...this.accounts.get(subject)?.claims }),
      }),
    });
    if (secretFits) this.provider.Client.prototype.compareClientSecret = secretFits;
    this.provider.use(async (ctx, next) => {
      await next();
      const user = this.accounts.get(ctx.oidc?.session?.accountId ?? '')?.user;
      if (user === undefined || typeof ctx.body !== 'string') return;
      const value = JSON.stringify(user).replaceAll('"', '&quot;');
      ctx.body = ctx.body.replace('</form>', `<input type="hidden" name="user" value="${value}"/></form>`);
    });
    this.answer = this.provider.callback();
  }

  /** The part of a path below the issuer's own, if it is there. */
  below(path: string): string | undefined {
    const { pathname } = new URL(this.options.issuer);
    return path.startsWith(`${pathname}/`) ? path.slice(pathname.length) : undefined;
  }

  /** Answers a request, whose URL does not name the place where the provider is any more. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/interaction') return this.interact(request, response);
    const [, token] = (request.headers.authorization ?? '').split(' ');
    const grant = token === undefined ? undefined : await this.provider.AccessToken.find(token);
    const known = grant && this.accounts.get(grant.accountId)?.api?.[pathname];
    if (known === undefined) return this.answer(request, response);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(known));
  }

  /** The page where people say who they are and agree, or do not. */
  private async interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await this.provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<form method="post">Who are you?</form>');
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get('account') ?? '';
    if (!this.accounts.has(accountId)) {
      await this.provider.interactionFinished(request, response, { error: 'access_denied' });
      return;
    }
    const grant = new this.provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    await this.provider.interactionFinished(request, response, { select_account: {}, login: { accountId }, consent });
  }
}

function withChoiceOfAccount() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}

function signingKey(): object {
  const { privateKey }: { privateKey: KeyObject } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'local' };
}
