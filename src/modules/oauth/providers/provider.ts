import { type Locale } from '../../users/index.js';

export const PROVIDERS = ['google', 'github', 'apple', 'facebook'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** What only the browser that began a sign-in knows; the provider gets the state, the nonce, and a hash of the rest. */
export interface Attempt {
  /** Ties the answer to the browser. */
  state: string;
  /** Ties the code to the browser (PKCE). */
  verifier: string;
  /** Ties the statement about who it is to the browser, where a provider makes one. */
  nonce: string;
}

/** What the browser brings back from a provider. Anyone could have written it. */
export interface Returned {
  code?: string | undefined;
  state?: string | undefined;
  /** Who claims to answer (RFC 9207). */
  iss?: string | undefined;
  /** What Apple says of a person, the first time only. */
  user?: string | undefined;
}

/** What a provider says of a person. */
export interface Profile {
  /** Names the person for good, which an address does not. */
  subject: string;
  email?: string;
  /** Whether the provider vouches for it that the person reads mail to the address. */
  emailVerified: boolean;
  /** Fit to be shown, if there is one. */
  name?: string;
  locale: Locale;
}

/** One way to sign in with an account that people have elsewhere. */
export interface Provider {
  readonly name: ProviderName;
  /** Whether the browser comes back by posting a form from the provider's site, and not by following a link. */
  readonly postsBack: boolean;
  /** Where to send the browser. May ask the provider how it wants to be addressed. */
  authorizationUrl(attempt: Attempt): Promise<URL>;
  /** Exchanges what the browser brought back for what the provider says of the person. */
  identify(returned: Returned, attempt: Attempt): Promise<Profile>;
}

/** What is configured of a provider with a fixed secret. */
export interface ClientSettings {
  clientId: string;
  clientSecret: string;
}

/** What all providers need to know of us. */
export interface Surroundings {
  /** The one address that the browser may be sent back to, as it is registered with the provider. */
  redirectUri(name: ProviderName): string;
  /** Stands in for all providers, outside production. */
  endpoint?: string | undefined;
}

/** Where a provider is: at home, or below the endpoint that stands in for it. */
export function siteOf(name: ProviderName, home: string, { endpoint }: Surroundings): string {
  return endpoint === undefined ? home : `${endpoint.replace(/\/$/, '')}/${name}`;
}
