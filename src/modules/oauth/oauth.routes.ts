import { type Request, type Response } from 'express';
import { anyone, type Route, route } from '../../core/http/route.js';
import { deviceOf, type RefreshCookie } from '../auth/index.js';
import { type AttemptCookie } from './attempt-cookie.js';
import { callbackForm, callbackQuery, providerParams, providersAnswer, startQuery } from './oauth.schemas.js';
import { type OAuthService, type Outcome } from './oauth.service.js';
import { type ProviderName, type Returned } from './providers/index.js';

export interface OAuthRouteDeps {
  oauth: OAuthService;
  /** Those that can be used, in the order in which they are offered. */
  names: readonly ProviderName[];
  attempts: AttemptCookie;
  refresh: RefreshCookie;
  publicUrl: string;
}

const tag = 'auth';

/** What the end of a sign-in says in the fragment: it goes to the web app, and to no server. */
const OUTCOMES =
  'The fragment says how it went: `oauth=signed-in`, with the refresh token as a cookie; `challenge` and `expiresIn` where two-factor sign-in is on, for `/auth/2fa/verify`; or `problem`, a code: `OAUTH_DENIED`, `OAUTH_REFUSED`, `OAUTH_PROVIDER_FAILED`, `OAUTH_EMAIL_MISSING`, `OAUTH_ADDRESS_TAKEN`, `ACCOUNT_SUSPENDED`.';

/** Signing in with an account that someone has elsewhere. These are for browsers, which are sent from place to place. */
export function oauthRoutes({ oauth, names, attempts, refresh, publicUrl }: OAuthRouteDeps): Route[] {
  const pageOf = (returnTo: string, fragment: Record<string, string>): string => {
    const page = new URL(returnTo, publicUrl);
    page.hash = new URLSearchParams(fragment).toString();
    return page.href;
  };

  async function finish(
    name: ProviderName,
    answer: Returned & { error?: string | undefined },
    { request, response }: { request: Request; response: Response },
  ): Promise<string> {
    const provider = oauth.provider(name);
    const attempt = attempts.read(request);
    // Whoever makes a browser come here with a state of their own must not take its cookie away.
    const isOwn = attempt !== undefined && attempt.state === answer.state;
    let outcome: Outcome;
    try {
      outcome = await oauth.finish(provider, answer, attempt, deviceOf(request));
      if ('refreshToken' in outcome.result) refresh.set(response, outcome.result.refreshToken);
    } finally {
      // After the other cookie, which takes the place of all that were set before.
      if (isOwn) attempts.clear(response, provider);
    }
    return pageOf(outcome.returnTo, fragmentOf(outcome.result));
  }

  return [
    route({
      method: 'get',
      path: '/auth/oauth',
      tag,
      summary: 'The providers whose accounts one can sign in with',
      access: anyone,
      answer: { status: 200, body: providersAnswer },
      handle: () => Promise.resolve({ data: names.map((provider) => ({ provider })) }),
    }),
    route({
      method: 'get',
      path: '/auth/oauth/:provider/start',
      tag,
      summary: 'Sends the browser to a provider to sign in there',
      description: `It comes back to \`returnTo\`, where the provider fails at once. ${OUTCOMES}`,
      access: anyone,
      params: providerParams,
      query: startQuery,
      problems: ['OAUTH_PROVIDER_UNKNOWN'],
      answer: { status: 302 },
      async handle({ params, query, response }) {
        const provider = oauth.provider(params.provider);
        const begun = await oauth.start(provider, query);
        if ('problem' in begun) return pageOf(query.returnTo, begun);
        attempts.set(response, provider, begun.attempt);
        return begun.url.href;
      },
    }),
    route({
      method: 'get',
      path: '/auth/oauth/:provider/callback',
      tag,
      summary: 'Where a provider sends the browser back to; finishes signing in',
      description: `It goes on to \`returnTo\` in the web app. ${OUTCOMES}`,
      access: anyone,
      params: providerParams,
      query: callbackQuery,
      problems: ['OAUTH_PROVIDER_UNKNOWN', 'OAUTH_STATE_INVALID'],
      answer: { status: 302 },
      handle: ({ params, query, ...sent }) => finish(params.provider, query, sent),
    }),
    route({
      method: 'post',
      path: '/auth/oauth/:provider/callback',
      tag,
      summary: 'The same, for a provider that has the browser post a form',
      description: OUTCOMES,
      access: anyone,
      params: providerParams,
      form: true,
      body: callbackForm,
      problems: ['OAUTH_PROVIDER_UNKNOWN', 'OAUTH_STATE_INVALID'],
      answer: { status: 302 },
      handle: ({ params, body, ...sent }) => finish(params.provider, body ?? {}, sent),
    }),
  ];
}

function fragmentOf(result: Outcome['result']): Record<string, string> {
  if ('problem' in result) return { problem: result.problem };
  if ('challenge' in result) return { challenge: result.challenge, expiresIn: String(result.expiresIn) };
  return { oauth: 'signed-in' };
}
