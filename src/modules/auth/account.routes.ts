import { anyone, type Route, route, signedIn } from '../../core/http/route.js';
import { type AccountService } from './account.service.js';
import { changePasswordBody, forgotBody, resetBody, tokenBody } from './auth.schemas.js';
import { deviceOf } from './device.js';

const tag = 'auth';

/** Confirming one's address, and passwords. */
export function accountRoutes(accounts: AccountService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/verify-email',
      tag,
      summary: 'Confirms an address by the token that was mailed to it',
      access: anyone,
      body: tokenBody,
      problems: ['ONE_TIME_TOKEN_INVALID'],
      answer: { status: 204 },
      handle: ({ body }) => accounts.verifyEmail(body.token),
    }),
    route({
      method: 'post',
      path: '/auth/verify-email/resend',
      tag,
      summary: 'Mails the link once more, unless the address is confirmed',
      access: signedIn,
      limits: [{ name: 'verification-mails', points: 5, seconds: 3_600 }],
      answer: { status: 204 },
      handle: ({ actor }) => accounts.resendVerification(actor.id),
    }),
    route({
      method: 'post',
      path: '/auth/password/forgot',
      tag,
      summary: 'Mails a link to choose a new password, if there is an account with that address',
      access: anyone,
      body: forgotBody,
      answer: { status: 204 },
      handle: ({ body, request }) => accounts.forgotPassword(body.email, deviceOf(request).ip),
    }),
    route({
      method: 'post',
      path: '/auth/password/reset',
      tag,
      summary: 'Sets a new password by a mailed token; all sessions end',
      access: anyone,
      body: resetBody,
      problems: ['ONE_TIME_TOKEN_INVALID', 'PASSWORD_TOO_COMMON'],
      answer: { status: 204 },
      handle: ({ body, request }) => accounts.resetPassword(body.token, body.password, deviceOf(request).ip),
    }),
    route({
      method: 'post',
      path: '/auth/password/change',
      tag,
      summary: 'Changes one’s password; all other sessions end',
      description: 'Needs the current password and a code that was mailed for `passwordChange`.',
      access: signedIn,
      body: changePasswordBody,
      problems: ['INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'CODE_INVALID', 'PASSWORD_TOO_COMMON'],
      answer: { status: 204 },
      handle: ({ actor, body, request }) => accounts.changePassword(actor, body, deviceOf(request).ip),
    }),
  ];
}
