import * as oauth from 'openid-client';
import { type Attempt, type Returned } from './provider.js';

/** A provider that takes longer is given up, in seconds: someone is waiting before an empty page. */
export const PATIENCE = 5;

/** What a client does to a configuration of the library before it is used. */
export function preparations(site: string): ((config: oauth.Configuration) => void)[] {
  // Only what stands in for the providers in development and tests has no TLS.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the library's way of saying: not in production
  return site.startsWith('http:') ? [oauth.allowInsecureRequests] : [];
}

/** The parameters that every request for authorization has. */
export async function authorizationParameters(
  { state, verifier }: Attempt,
  redirectUri: string,
): Promise<Record<string, string>> {
  return {
    redirect_uri: redirectUri,
    response_type: 'code',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
}

/** Exchanges the code that the browser brought. */
export function exchange(
  config: oauth.Configuration,
  redirectUri: string,
  { code, state, iss }: Returned,
  attempt: Attempt,
  checks: oauth.AuthorizationCodeGrantChecks = {},
): ReturnType<typeof oauth.authorizationCodeGrant> {
  // Made from our own address and not from that of the request, whose host is the sender's word.
  const answer = new URL(redirectUri);
  for (const [name, value] of Object.entries({ code, state, iss })) {
    if (value !== undefined) answer.searchParams.set(name, value);
  }
  const { state: expectedState, verifier: pkceCodeVerifier } = attempt;
  return oauth.authorizationCodeGrant(config, answer, { expectedState, pkceCodeVerifier, ...checks });
}

/**
 * Has what a provider says its own way when it refuses a code said as the standard has it.
 * @param isRefusal whether the body of an answer, as parsed, means that the code is not good
 */
export function translateRefusals(isRefusal: (body: unknown) => boolean): oauth.CustomFetch {
  return async (url, options) => {
    const response = await fetch(url, options as RequestInit);
    if (options.method !== 'POST') return response;
    const text = await response.text();
    if (!isRefusal(parsed(text))) return new Response(text, response);
    return Response.json({ error: 'invalid_grant' }, { status: 400 });
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
