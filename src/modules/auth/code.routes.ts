import { MINUTE, SECOND } from '../../core/clock.js';
import { anyone, type Route, route, signedIn } from '../../core/http/route.js';
import { codeRequestAnswer, codeRequestBody, emailChangeBody, tokenBody } from './auth.schemas.js';
import { deviceOf } from './device.js';
import { type EmailChangeService } from './email-change.service.js';
import { MAILED_CODE_MS, type MailedCodes } from './mailed-codes.js';

export interface CodeRouteDeps {
  codes: MailedCodes;
  emailChange: EmailChangeService;
}

const tag = 'auth';

/** Mailed codes for what must not be done by whoever merely found an open session, and the change of one's address. */
export function codeRoutes({ codes, emailChange }: CodeRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/codes',
      tag,
      summary: 'Mails a code of six digits for one purpose',
      description: 'It works once, within 10 minutes, and five times it may be wrong. A new one replaces it.',
      access: signedIn,
      body: codeRequestBody,
      limits: [{ name: 'mailed-codes', points: 5, seconds: (15 * MINUTE) / SECOND }],
      answer: { status: 202, body: codeRequestAnswer },
      async handle({ actor, body }) {
        await codes.send(actor.id, body.purpose);
        return { expiresIn: MAILED_CODE_MS / SECOND };
      },
    }),
    route({
      method: 'post',
      path: '/auth/email/change',
      tag,
      summary: 'Mails a link to a new address; the account has it once the link is opened',
      description: 'Needs the password and a code that was mailed for `emailChange`. The link works within an hour.',
      access: signedIn,
      body: emailChangeBody,
      problems: ['INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'CODE_INVALID', 'EMAIL_UNCHANGED', 'EMAIL_TAKEN'],
      answer: { status: 204 },
      handle: ({ actor, body, request }) => emailChange.request(actor.id, body, deviceOf(request).ip),
    }),
    route({
      method: 'post',
      path: '/auth/email/confirm',
      tag,
      summary: 'Changes the address of an account by the token that was mailed to the new one',
      access: anyone,
      body: tokenBody,
      problems: ['ONE_TIME_TOKEN_INVALID', 'EMAIL_TAKEN'],
      answer: { status: 204 },
      handle: ({ body }) => emailChange.confirm(body.token),
    }),
  ];
}
