import { type Route, route, signedIn } from '../../core/http/route.js';
import { privacyAnswer, privacyPatch } from './settings.schemas.js';
import { type PrivacySettingsService } from './settings.service.js';

const tag = 'privacy';

export function privacySettingsRoutes(settings: PrivacySettingsService): Route[] {
  return [
    route({
      method: 'get',
      path: '/settings/privacy',
      tag,
      summary: 'Who may do what to or with one, and what others see',
      access: signedIn,
      answer: { status: 200, body: privacyAnswer },
      handle: ({ actor }) => settings.read(actor.id),
    }),
    route({
      method: 'patch',
      path: '/settings/privacy',
      tag,
      summary: 'Changes who may do what; what is not named stays',
      access: signedIn,
      body: privacyPatch,
      answer: { status: 200, body: privacyAnswer },
      handle: ({ actor, body }) => settings.change(actor.id, body),
    }),
  ];
}
