import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { shape } from '../../core/http/schema.js';
import { type Visibility } from '../../core/visibility.js';
import { presentCall } from './call.presenter.js';
import { callAnswer, iceServersAnswer } from './call.schemas.js';
import { type CallService } from './call.service.js';
import { type CallStore } from './call.store.js';
import { type IceServers } from './ice-servers.js';

export interface CallRouteDeps {
  calls: CallService;
  store: CallStore;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  iceServers: IceServers;
}

const tag = 'calls';

export function callRoutes({ calls, store, visibility, iceServers }: CallRouteDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/calls',
      tag,
      summary: 'One’s own calls, newest first',
      description: 'One that rings, or that goes on without this device, is the first of them.',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(callAnswer) },
      handle: ({ actor, query }) => calls.list(actor.id, query),
      async present({ data, nextCursor }, { actor: { id } }) {
        const [found, hidden] = await Promise.all([store.factsOfAll(data), visibility.hiddenFrom(id)]);
        return { data: found.map((call) => presentCall(call, id, hidden)), nextCursor };
      },
    }),
    route({
      method: 'get',
      path: '/calls/ice-servers',
      tag,
      summary: 'What helps devices find a way to each other',
      description:
        'STUN servers and relays (TURN) with credentials that hold for six hours; to be fetched anew for every call.',
      access: signedIn,
      answer: { status: 200, body: iceServersAnswer },
      handle: ({ actor }) => Promise.resolve(iceServers.for(actor.id)),
    }),
  ];
}
