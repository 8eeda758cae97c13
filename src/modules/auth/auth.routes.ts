import { unauthorized } from '../../core/http/problem.js';
import { anyone, type Route, route } from '../../core/http/route.js';
import { loginAnswer, loginBody, refreshBody, registerBody, signInAnswer, tokensAnswer } from './auth.schemas.js';
import { type AuthService } from './auth.service.js';
import { deviceOf } from './device.js';
import { type RefreshCookie } from './refresh-cookie.js';
import { type SessionService } from './session.service.js';
import { presentSignIn } from './sign-in.presenter.js';

export interface AuthRouteDeps {
  auth: AuthService;
  sessions: SessionService;
  cookie: RefreshCookie;
}

const tag = 'auth';

/** Registering, signing in and staying so. */
export function authRoutes({ auth, sessions, cookie }: AuthRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/register',
      tag,
      summary: 'Creates an account and signs in',
      description: 'A link to confirm the address is mailed. The refresh token is also set as a cookie.',
      access: anyone,
      body: registerBody,
      idempotent: true,
      answer: { status: 201, body: signInAnswer },
      problems: ['EMAIL_TAKEN', 'PASSWORD_TOO_COMMON'],
      handle: ({ body, request }) => auth.register(body, deviceOf(request)),
      present(signedIn, { response }) {
        cookie.set(response, signedIn.refreshToken);
        return presentSignIn(signedIn);
      },
    }),
    route({
      method: 'post',
      path: '/auth/login',
      tag,
      summary: 'Signs in with e-mail address and password',
      description: 'Where two-factor sign-in is on, a challenge is answered instead, for `/auth/2fa/verify`.',
      access: anyone,
      body: loginBody,
      answer: { status: 200, body: loginAnswer },
      problems: ['INVALID_CREDENTIALS', 'ACCOUNT_SUSPENDED'],
      handle: ({ body, request }) => auth.login(body.email, body.password, deviceOf(request)),
      present(signedIn, { response }) {
        if ('challenge' in signedIn) return { twoFactorRequired: true as const, ...signedIn };
        cookie.set(response, signedIn.refreshToken);
        return presentSignIn(signedIn);
      },
    }),
    route({
      method: 'post',
      path: '/auth/refresh',
      tag,
      summary: 'Exchanges a refresh token for a new pair; each works once',
      description:
        'The token comes in the body, or as the cookie that signing in has set. The cookie counts only with an allowed `Origin`, or with `X-Requested-With` where there is none.',
      access: anyone,
      body: refreshBody,
      answer: { status: 200, body: tokensAnswer },
      problems: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'CROSS_SITE_REFUSED'],
      async handle({ body, request, response }) {
        const given = body?.refreshToken;
        if (given !== undefined) return sessions.refresh(given);
        const kept = cookie.read(request);
        if (kept === undefined) throw unauthorized('REFRESH_TOKEN_INVALID', 'There is no refresh token.');
        const tokens = await sessions.refresh(kept);
        cookie.set(response, tokens.refreshToken);
        return tokens;
      },
      present: (tokens) => tokens,
    }),
  ];
}
