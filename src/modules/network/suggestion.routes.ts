import { type Route, route, signedIn } from '../../core/http/route.js';
import { list, named, objectId, oneOf, shape, whole, withDefault } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { type Reachable } from './people.js';
import { REASONS } from './suggestion.model.js';
import { type SuggestionService } from './suggestion.service.js';

const tag = 'connections';
const HOUR_IN_SECONDS = 3_600;

const suggestionAnswer = named(
  'Suggestion',
  shape({ user: userSummary, mutualConnections: whole({ min: 0 }), reason: oneOf(REASONS) }),
);

export function suggestionRoutes(suggestions: SuggestionService, reachable: Reachable): Route[] {
  return [
    route({
      method: 'get',
      path: '/connections/suggestions',
      tag,
      summary: 'People one may know, the likeliest first',
      description: 'Never those one is connected with, has asked or been asked by, has dismissed, or must not see.',
      access: signedIn,
      query: shape({ limit: withDefault(whole({ min: 1, max: 50 }), 10) }),
      limits: [{ name: 'suggestions', points: 10, seconds: HOUR_IN_SECONDS }],
      // Half of the work is the same whatever is asked for, and need not wait for the count of the requests.
      load: ({ actor }) => suggestions.surroundings(actor.id),
      missing: 'USER_NOT_FOUND',
      answer: { status: 200, body: shape({ data: list(suggestionAnswer) }) },
      handle: async ({ query, resource }) => ({ data: await suggestions.suggest(resource, query.limit) }),
    }),
    route({
      method: 'post',
      path: '/connections/suggestions/:userId/dismiss',
      tag,
      summary: 'Never suggests this user again; they are not told',
      access: signedIn,
      params: shape({ userId: objectId() }),
      limits: [{ name: 'dismissals', points: 100, seconds: HOUR_IN_SECONDS }],
      load: ({ actor, params }) => reachable(actor.id, params.userId),
      missing: 'USER_NOT_FOUND',
      answer: { status: 204 },
      handle: ({ actor, params }) => suggestions.dismiss(actor.id, params.userId),
    }),
  ];
}
