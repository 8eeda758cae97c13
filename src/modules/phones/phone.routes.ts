import { DAY, HOUR, SECOND } from '../../core/clock.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { described, instant, named, shape, text, whole } from '../../core/http/schema.js';
import { deviceOf, MAILED_CODE_MS, mailedCode } from '../auth/index.js';
import { type OwnPhone, type PhoneService } from './phone.service.js';

const number = described(text(), 'In its international form (E.164).');
const phoneAnswer = named(
  'Phone',
  shape({}, { number, verifiedAt: instant(), pending: shape({ number, expiresAt: instant() }) }),
);
const phoneBody = named('NewPhone', shape({ phone: text({ max: 40, multiline: false }) }));
const phoneCodeAnswer = named('PhoneCodeSent', shape({ expiresIn: whole({ min: 1 }) }));

const path = '/users/me/phone';
const tag = 'users';

/** One’s own phone number; nobody else is shown it. */
export function phoneRoutes(phones: PhoneService): Route[] {
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'One’s own phone number, and the one that a code was sent to',
      access: signedIn,
      answer: { status: 200, body: phoneAnswer },
      handle: ({ actor }) => phones.read(actor.id),
      present,
    }),
    route({
      method: 'put',
      path,
      tag,
      summary: 'Sends a code of six digits to a phone, which is one’s own once the code is given',
      description:
        'The code works once, within 10 minutes, and five times it may be wrong; a new one replaces it. A number ' +
        'without a country is taken for one of the campus’ own. Nothing comes to a phone that has answered STOP to ' +
        'us, until it sends START.',
      access: signedIn,
      body: phoneBody,
      limits: [
        { name: 'phone-codes', points: 5, seconds: HOUR / SECOND },
        { name: 'phone-codes-daily', points: 10, seconds: DAY / SECOND },
      ],
      problems: ['SMS_NOT_CONFIGURED', 'PHONE_INVALID', 'PHONE_UNCHANGED'],
      answer: { status: 202, body: phoneCodeAnswer },
      async handle({ actor, body, request }) {
        await phones.request(actor.id, body.phone, deviceOf(request).ip);
        return { expiresIn: MAILED_CODE_MS / SECOND };
      },
    }),
    route({
      method: 'post',
      path: `${path}/verify`,
      tag,
      summary: 'Makes the phone one’s own that the code was sent to',
      description: 'A number is one account’s at a time: whoever had it before has none from then on.',
      access: signedIn,
      body: named('PhoneVerification', shape({ code: mailedCode })),
      problems: ['CODE_INVALID'],
      answer: { status: 200, body: phoneAnswer },
      handle: async ({ actor, body }) => ({ phone: await phones.verify(actor.id, body.code) }),
      present,
    }),
    route({
      method: 'delete',
      path,
      tag,
      summary: 'Takes one’s number away; no SMS comes any more',
      access: signedIn,
      answer: { status: 204 },
      handle: ({ actor }) => phones.remove(actor.id),
    }),
  ];
}

function present({ phone, pending }: OwnPhone) {
  return {
    ...(phone && { number: phone.number, verifiedAt: phone.verifiedAt }),
    ...(pending && { pending }),
  };
}
