import { type Page, pageOf, pageQuery } from '../../core/http/paging.js';
import { type Actor, type Route, route, signedIn } from '../../core/http/route.js';
import { oneOf, shape } from '../../core/http/schema.js';
import { type UserService, type UserSummary } from '../users/index.js';
import { type Connection } from './connection.model.js';
import { connectionPolicy } from './connection.policy.js';
import { connectionAnswer, connectionBody, connectionParams, DIRECTIONS } from './connection.schemas.js';
import { type ConnectionService, counterpartOf } from './connection.service.js';
import { personOf, type Reachable } from './people.js';

export interface ConnectionRouteDeps {
  connections: ConnectionService;
  users: UserService;
  reachable: Reachable;
}

const tag = 'connections';

export function connectionRoutes({ connections, users, reachable }: ConnectionRouteDeps): Route[] {
  const presentAll = async (found: Connection[], { id }: Actor) => {
    const people = await users.summaries(found.map((connection) => counterpartOf(connection, id)));
    return found.map((connection) => presentConnection(connection, id, people));
  };
  const presentOne = async (connection: Connection, { actor }: { actor: Actor }) => {
    const people = await users.summaries([counterpartOf(connection, actor.id)]);
    return presentConnection(connection, actor.id, people);
  };
  const presentPage = async ({ data, nextCursor }: Page<Connection>, { actor }: { actor: Actor }) => ({
    data: await presentAll(data, actor),
    nextCursor,
  });
  const own = {
    tag,
    access: signedIn,
    params: connectionParams,
    load: ({ actor, params }: { actor: Actor; params: { connectionId: string } }) =>
      connections.find(actor.id, params.connectionId),
    missing: 'CONNECTION_NOT_FOUND',
  } as const;
  const answers = [
    ['accept', 'accepted', 'Accepts a request'],
    ['reject', 'rejected', 'Rejects a request'],
  ] as const;
  return [
    route({
      method: 'post',
      path: '/connections',
      tag,
      summary: 'Asks another user for a connection',
      description: 'Where the other one has asked already, the two are connected. Asking again changes nothing.',
      access: signedIn,
      body: connectionBody,
      idempotent: true,
      load: ({ actor, body }) => reachable(actor.id, body.userId),
      missing: 'USER_NOT_FOUND',
      problems: ['CANNOT_CONNECT_TO_YOURSELF', 'RECENTLY_REJECTED'],
      answer: { status: 201, body: connectionAnswer },
      handle: ({ actor, body }) => connections.request(actor.id, body.userId, body.note),
      present: presentOne,
    }),
    ...answers.map(([word, status, summary]) =>
      route({
        ...own,
        method: 'put',
        path: `/connections/:connectionId/${word}`,
        summary,
        policy: connectionPolicy.respond,
        problems: ['OWN_REQUEST', 'REQUEST_NOT_PENDING'],
        answer: { status: 200, body: connectionAnswer },
        handle: ({ actor, resource }) => connections.respond(actor.id, resource, status),
        present: presentOne,
      }),
    ),
    route({
      ...own,
      method: 'delete',
      path: '/connections/:connectionId',
      summary: 'Withdraws a request or ends a connection',
      policy: connectionPolicy.remove,
      problems: ['NOT_YOUR_REQUEST'],
      answer: { status: 204 },
      handle: ({ actor, resource }) => connections.remove(actor.id, resource),
    }),
    route({
      method: 'get',
      path: '/connections',
      tag,
      summary: 'One’s own connections, newest first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(connectionAnswer) },
      handle: ({ actor, query }) => connections.list(actor.id, query),
      present: presentPage,
    }),
    route({
      method: 'get',
      path: '/connections/requests',
      tag,
      summary: 'Open requests, newest first: to oneself (`in`) or by oneself (`out`)',
      access: signedIn,
      query: shape({ ...pageQuery, direction: oneOf(DIRECTIONS) }),
      answer: { status: 200, body: pageOf(connectionAnswer) },
      handle: ({ actor, query: { direction, ...page } }) => connections.requests(actor.id, direction, page),
      present: presentPage,
    }),
  ];
}

function presentConnection(connection: Connection, viewerId: string, people: Map<string, UserSummary>) {
  const { _id, requesterId, status, note, createdAt, changedAt } = connection;
  return {
    id: _id.toHexString(),
    user: personOf(people, counterpartOf(connection, viewerId)),
    status,
    direction: requesterId.equals(viewerId) ? ('out' as const) : ('in' as const),
    ...(note !== undefined && { note }),
    createdAt,
    changedAt,
  };
}
