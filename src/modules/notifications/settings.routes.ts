import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { shape } from '../../core/http/schema.js';
import { type Mute } from './mute.model.js';
import { type MuteService, subjectOf } from './mute.service.js';
import { muteAnswer, muteBody, muteRemoval, settingsAnswer, settingsPatch } from './settings.schemas.js';
import { type NotificationSettingsService } from './settings.service.js';

export interface SettingsRouteDeps {
  settings: NotificationSettingsService;
  mutes: MuteService;
}

const tag = 'notifications';

/** When and where a user wants to be told. */
export function notificationSettingsRoutes({ settings, mutes }: SettingsRouteDeps): Route[] {
  const path = '/settings/notifications';
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'Which categories reach one on which channels, and when not',
      access: signedIn,
      answer: { status: 200, body: settingsAnswer },
      handle: ({ actor }) => settings.read(actor.id),
    }),
    route({
      method: 'patch',
      path,
      tag,
      summary: 'Switches categories on or off per channel, and sets quiet hours, digests and grouping',
      description:
        'What is named changes and nothing else; `spans` replaces all spans. In quiet hours pushes and SMS wait until these ' +
        'end, and so does e-mail unless `email` is false; then it is decided again whether and how to send. The app ' +
        'shows everything at once, and what concerns the security of the account never waits. SMS come of nothing ' +
        'that is not switched on, and to a number that was shown to be one’s own. A time that is ' +
        'skipped when clocks are changed stands for the moment of the change; of a time that comes twice, a quiet ' +
        'time begins with the first and ends with the second. With a digest, e-mails wait until its time and are one ' +
        'then; to switch it off, or to another time, has what has gathered sent accordingly. Without `grouping` each ' +
        'notification of the category stands by itself from then on.',
      access: signedIn,
      body: settingsPatch,
      problems: ['SECURITY_ALWAYS_ON', 'QUIET_ALL_WEEK'],
      answer: { status: 200, body: settingsAnswer },
      handle: ({ actor, body }) => settings.change(actor.id, body),
    }),
    route({
      method: 'get',
      path: `${path}/mutes`,
      tag,
      summary: 'What one has muted, newest first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(muteAnswer) },
      handle: ({ actor, query }) => mutes.list(actor.id, query),
      present: ({ data, nextCursor }) => ({ data: data.map(present), nextCursor }),
    }),
    route({
      method: 'post',
      path: `${path}/mutes`,
      tag,
      summary: 'Mutes a post or a user; doing it again sets the end anew',
      description:
        'Nothing about it is sent outside the app. The app lists it, but as read: it does not count as unread. ' +
        'Without `until` it lasts until it is ended. Conversations are muted by `PUT /conversations/{id}/mute`.',
      access: signedIn,
      body: muteBody,
      limits: [{ name: 'mutes', points: 100, seconds: 3_600 }],
      idempotent: true,
      problems: ['CANNOT_MUTE_YOURSELF', 'MUTE_HAS_ENDED', 'NOTHING_TO_MUTE', 'TOO_MANY_MUTES'],
      answer: { status: 201, body: muteAnswer },
      handle: ({ actor, body }) => mutes.mute(actor.id, body),
      present,
    }),
    route({
      method: 'delete',
      path: `${path}/mutes`,
      tag,
      summary: 'Ends a mute; what came meanwhile stays as it is',
      access: signedIn,
      body: muteRemoval,
      answer: { status: 204 },
      handle: ({ actor, body }) => mutes.unmute(actor.id, body),
    }),
  ];
}

function present({ key, until, createdAt }: Mute) {
  return { ...subjectOf(key), createdAt, ...(until && { until }) };
}
