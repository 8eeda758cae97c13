import { type EventStreams } from '../../core/realtime/event-streams.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { described, matching, shape } from '../../core/http/schema.js';
import { type ChangesService } from './changes.service.js';
import { STANDING } from './positions.js';
import { parseStanding } from './polling.js';

export interface LiveRouteDeps {
  changes: ChangesService;
  streams: EventStreams;
}

const lastEventId = described(
  matching(STANDING, { max: 100, message: 'must be the id of an event of the stream' }),
  'The same as the header `Last-Event-ID`, for clients that cannot set it.',
);

/** Notifications live for clients without sockets. */
export function liveRoutes({ changes, streams }: LiveRouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/notifications/stream',
      tag: 'notifications',
      summary: 'What happens to one’s own notifications, live, for clients without sockets',
      description:
        'Server-sent events: those that the server sends in the socket namespace `/notifications`, with the same ' +
        'payloads. The `id` of an event is where the stream goes on for a client that comes back with it in ' +
        '`Last-Event-ID`: what changed meanwhile comes first, each notification as it is by then, its deliveries ' +
        'included; of those the last half minute may be told again. Where that is too much or can no longer be told, `resync` asks to fetch the list anew. The token stands in the ' +
        '`Authorization` header as everywhere, so read it with `fetch` or an `EventSource` that sets headers. The ' +
        'stream ends with its access token (`session:expired`), with its session, with the node (`server:closing`) ' +
        'and when its client is too slow to read.',
      access: signedIn,
      query: shape({}, { lastEventId }),
      problems: ['TOO_MANY_STREAMS'],
      answer: { status: 200, contentType: 'text/event-stream', description: 'Events, until the stream is closed' },
      handle: async ({ actor, query, request, response }) => {
        // Nothing would ever end an answer without a body.
        if (request.method === 'HEAD') return '';
        const since = parseStanding(query.lastEventId ?? request.get('Last-Event-ID'));
        return streams.open({ actor, request, response, missed: () => changes.missed(actor.id, since) });
      },
    }),
  ];
}
