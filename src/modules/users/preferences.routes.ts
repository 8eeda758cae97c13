import { type Route, route, signedIn } from '../../core/http/route.js';
import { preferencesAnswer, preferencesPatch } from './preferences.schemas.js';
import { type User } from './user.model.js';
import { type UserService } from './user.service.js';

/** How the user likes to use the product; language and time zone are the account's own, wherever they are read. */
export function preferenceRoutes(users: UserService): Route[] {
  const path = '/settings/preferences';
  const tag = 'users';
  const answer = { status: 200, body: preferencesAnswer } as const;
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'Appearance, order of the feed, language and time zone',
      access: signedIn,
      answer,
      handle: ({ actor }) => users.get(actor.id),
      present,
    }),
    route({
      method: 'patch',
      path,
      tag,
      summary: 'Changes preferences; what is not named stays',
      access: signedIn,
      body: preferencesPatch,
      answer,
      handle: ({ actor, body }) => users.update(actor.id, body),
      present,
    }),
  ];
}

function present({ theme, feedSort, locale, timeZone: zone }: User) {
  return { theme: theme ?? 'SYSTEM', feedSort: feedSort ?? 'RELEVANCE', locale, timeZone: zone ?? 'UTC' };
}
