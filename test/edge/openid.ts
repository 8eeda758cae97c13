import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import jwt from 'jsonwebtoken';
import { listen, LOOPBACK } from './loopback.js';
import { type ProviderAccount, ProviderHouse } from './openid-house.js';

export type HouseName = 'google' | 'github' | 'apple' | 'facebook';

/** One way to misbehave: an answer of its own, or none at all. */
export type OpenIdFault = { kind: 'silent' } | { kind: 'answer'; status: number; type?: string; body: string };

interface Rule {
  house: HouseName;
  /** The end of the path that it is about. */
  path: string;
  fault: OpenIdFault;
}

const CLIENT_SECRET = 'the secret of a client, for the tests';
const TEAM = 'TEAM123456';
const KEY = 'KEY1234567';

/**
 * Google, Apple, GitHub and Facebook on the loopback address: a real OpenID provider for each, below its name, with
 * the interfaces of the latter two beside it.
 */
export class OpenIdEdge {
  private readonly server: Server = createServer((request, response) => void this.serve(request, response));
  private readonly houses = new Map<HouseName, ProviderHouse>();
  private readonly rules = new Set<Rule>();
  private readonly appleKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** The secrets that Apple was shown. */
  readonly appleSecrets: jwt.Jwt[] = [];
  /** What browsers are said to have asked for, whatever they did. */
  readonly tampered = new Map<string, string>();
  private port = 0;

  private constructor(private readonly publicUrl: string) {}

  static async start(publicUrl = 'https://campus.test'): Promise<OpenIdEdge> {
    const edge = new OpenIdEdge(publicUrl);
    edge.port = await listen(edge.server, 0);
    edge.open('google', ['openid', 'email', 'profile']);
    edge.open('apple', ['openid', 'email', 'name'], { secretFits: (secret) => edge.judgeAppleSecret(secret) });
    edge.open('github', ['read:user', 'user:email'], {
      issuer: `${edge.url}/github/login/oauth`,
      routes: { authorization: '/authorize', token: '/access_token' },
    });
    edge.open('facebook', ['public_profile', 'email'], {
      routes: { authorization: '/v23.0/dialog/oauth', token: '/v23.0/oauth/access_token' },
    });
    return edge;
  }

  /** The value for `OAUTH_ENDPOINT`. */
  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** What a node must be told to use all four. */
  environment(): Record<string, string> {
    return {
      OAUTH_ENDPOINT: this.url,
      OAUTH_GOOGLE_CLIENT_ID: 'google-client',
      OAUTH_GOOGLE_CLIENT_SECRET: CLIENT_SECRET,
      OAUTH_GITHUB_CLIENT_ID: 'github-client',
      OAUTH_GITHUB_CLIENT_SECRET: CLIENT_SECRET,
      OAUTH_FACEBOOK_CLIENT_ID: 'facebook-client',
      OAUTH_FACEBOOK_CLIENT_SECRET: CLIENT_SECRET,
      OAUTH_APPLE_CLIENT_ID: 'apple-client',
      OAUTH_APPLE_TEAM_ID: TEAM,
      OAUTH_APPLE_KEY_ID: KEY,
      OAUTH_APPLE_PRIVATE_KEY: this.appleKeys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    };
  }

  /** Gives someone an account with a provider, or changes what it says of them. */
  add(house: HouseName, account: ProviderAccount): void {
    this.houses.get(house)!.accounts.set(account.subject, account);
  }

  /** Misbehaves at paths that end so, until the returned function is called. */
  misbehave(house: HouseName, path: string, fault: OpenIdFault): () => void {
    const rule = { house, path, fault };
    this.rules.add(rule);
    return () => void this.rules.delete(rule);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private open(
    name: HouseName,
    scopes: string[],
    more: Partial<ConstructorParameters<typeof ProviderHouse>[0]> = {},
  ): void {
    const house = new ProviderHouse({
      issuer: `${this.url}/${name}`,
      clientId: `${name}-client`,
      clientSecret: CLIENT_SECRET,
      redirectUri: `${this.publicUrl}/api/v1/auth/oauth/${name}/callback`,
      scopes,
      ...more,
    });
    this.houses.set(name, house);
  }

  private judgeAppleSecret(secret: string): boolean {
    const options = {
      algorithms: ['ES256' as const],
      issuer: TEAM,
      audience: `${this.url}/apple`,
      subject: 'apple-client',
      complete: true as const,
    };
    try {
      const judged = jwt.verify(secret, this.appleKeys.publicKey, options);
      this.appleSecrets.push(judged);
      return judged.header.kid === KEY;
    } catch {
      return false;
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const [, name = ''] = url.pathname.split('/');
    const house = this.houses.get(name as HouseName);
    if (!house) {
      response.writeHead(404).end();
      return;
    }
    const rule = [...this.rules].find((one) => one.house === name && url.pathname.endsWith(one.path));
    if (rule) {
      commit(rule.fault, response);
      return;
    }
    for (const [parameter, value] of this.tampered) {
      if (url.searchParams.has(parameter)) url.searchParams.set(parameter, value);
    }
    // What the provider is mounted below is its own affair, and it tells it by the difference of the two.
    Object.assign(request, { originalUrl: `${url.pathname}${url.search}` });
    const path = house.below(url.pathname) ?? url.pathname.slice(name.length + 1);
    request.url = `${path}${url.search}`;
    await house.serve(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  }
}

function commit(fault: OpenIdFault, response: ServerResponse): void {
  if (fault.kind === 'silent') return;
  response.writeHead(fault.status, { 'content-type': fault.type ?? 'application/json' }).end(fault.body);
}
