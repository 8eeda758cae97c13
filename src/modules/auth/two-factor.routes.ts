import { anyone, type Route, route, signedIn } from '../../core/http/route.js';
import { type UserService } from '../users/index.js';
import { type AccountService } from './account.service.js';
import { type Admission } from './admission.js';
import {
  challengeBody,
  signInAnswer,
  twoFactorAnswer,
  twoFactorDisableBody,
  twoFactorEnableBody,
  recoveryCodesAnswer,
  recoveryCodesBody,
  twoFactorSetupAnswer,
} from './auth.schemas.js';
import { deviceOf } from './device.js';
import { type RefreshCookie } from './refresh-cookie.js';
import { presentSignIn } from './sign-in.presenter.js';
import { totpUri } from './totp.js';
import { type TwoFactorService } from './two-factor.js';

export interface TwoFactorRouteDeps {
  twoFactor: TwoFactorService;
  admission: Admission;
  accounts: AccountService;
  users: UserService;
  cookie: RefreshCookie;
}

const tag = 'auth';

/** The second factor: turning it on and off, and signing in with it. */
export function twoFactorRoutes({ twoFactor, admission, accounts, users, cookie }: TwoFactorRouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/auth/2fa',
      tag,
      summary: 'Whether two-factor sign-in is on, and how many recovery codes are left',
      access: signedIn,
      answer: { status: 200, body: twoFactorAnswer },
      handle: ({ actor }) => twoFactor.status(actor.id),
    }),
    route({
      method: 'post',
      path: '/auth/2fa/setup',
      tag,
      summary: 'Makes the secret for an authenticator app; nothing changes until it is enabled',
      access: signedIn,
      answer: { status: 200, body: twoFactorSetupAnswer },
      problems: ['TWO_FACTOR_ON'],
      async handle({ actor }) {
        const [secret, account] = [await twoFactor.setUp(actor.id), await users.find(actor.id)];
        return { secret, uri: totpUri(secret, account?.email ?? actor.id) };
      },
    }),
    route({
      method: 'post',
      path: '/auth/2fa/enable',
      tag,
      summary: 'Turns two-factor sign-in on by a first code; answers the recovery codes, this once',
      access: signedIn,
      body: twoFactorEnableBody,
      answer: { status: 200, body: recoveryCodesAnswer },
      problems: ['INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'CODE_INVALID', 'TWO_FACTOR_ON', 'TWO_FACTOR_NOT_SET_UP'],
      async handle({ actor, body, request }) {
        await accounts.requirePassword(actor.id, body.password, deviceOf(request).ip);
        return { recoveryCodes: await twoFactor.enable(actor.id, body.code) };
      },
    }),
    route({
      method: 'post',
      path: '/auth/2fa/disable',
      tag,
      summary: 'Turns two-factor sign-in off by a code or a recovery code',
      access: signedIn,
      body: twoFactorDisableBody,
      answer: { status: 204 },
      problems: ['INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'CODE_INVALID', 'TWO_FACTOR_OFF'],
      async handle({ actor, body, request }) {
        const { ip } = deviceOf(request);
        await accounts.requirePassword(actor.id, body.password, ip);
        await twoFactor.disable(actor.id, body, ip);
      },
    }),
    route({
      method: 'post',
      path: '/auth/2fa/recovery-codes',
      tag,
      summary: 'Makes ten new recovery codes by a code of the app; those before work no more',
      description: 'The codes are answered this once. The owner is told.',
      access: signedIn,
      body: recoveryCodesBody,
      answer: { status: 200, body: recoveryCodesAnswer },
      problems: ['INVALID_CREDENTIALS', 'CODE_INVALID', 'TWO_FACTOR_OFF'],
      async handle({ actor, body, request }) {
        const { ip } = deviceOf(request);
        await accounts.requirePassword(actor.id, body.password, ip);
        return { recoveryCodes: await twoFactor.renewRecoveryCodes(actor.id, body.code, ip) };
      },
    }),
    route({
      method: 'post',
      path: '/auth/2fa/verify',
      tag,
      summary: 'Finishes signing in by the challenge of `/auth/login` and a code or a recovery code',
      description: 'Each code works once. The refresh token is also set as a cookie.',
      access: anyone,
      body: challengeBody,
      answer: { status: 200, body: signInAnswer },
      problems: ['CHALLENGE_INVALID', 'CODE_INVALID', 'ACCOUNT_SUSPENDED'],
      handle: ({ body, request }) => admission.answer(body.challenge, body, deviceOf(request)),
      present(signedInNow, { response }) {
        cookie.set(response, signedInNow.refreshToken);
        return presentSignIn(signedInNow);
      },
    }),
  ];
}
