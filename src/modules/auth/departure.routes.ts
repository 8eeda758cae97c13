import { type Route, route, signedIn } from '../../core/http/route.js';
import { deletionAnswer, deletionBody } from './auth.schemas.js';
import { type DepartureService } from './departure.service.js';
import { deviceOf } from './device.js';
import { type RefreshCookie } from './refresh-cookie.js';

export function departureRoutes({
  departures,
  cookie,
}: {
  departures: DepartureService;
  cookie: RefreshCookie;
}): Route[] {
  return [
    route({
      method: 'delete',
      path: '/users/me',
      tag: 'users',
      summary: 'Gives one’s account up',
      description:
        'Needs the password and a code that was mailed for `erasure`. All sessions end and the account is hidden from everyone at once. It is erased at `erasedAt`; signing in before then takes it back. An admin cannot leave without another.',
      access: signedIn,
      body: deletionBody,
      problems: ['INVALID_CREDENTIALS', 'PASSWORD_NOT_SET', 'CODE_INVALID', 'LAST_ADMIN'],
      answer: { status: 202, body: deletionAnswer },
      async handle({ actor, body, request, response }) {
        const erasedAt = await departures.giveUp(actor, body, deviceOf(request).ip);
        cookie.clear(response);
        return { erasedAt };
      },
    }),
  ];
}
