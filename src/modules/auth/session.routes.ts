import { type Route, route, signedIn } from '../../core/http/route.js';
import { objectId, shape } from '../../core/http/schema.js';
import { sessionsAnswer } from './auth.schemas.js';
import { describeDevice } from './device.js';
import { type RefreshCookie } from './refresh-cookie.js';
import { type SessionService } from './session.service.js';

const tag = 'auth';

/** One's own sessions, and their end. */
export function sessionRoutes({ sessions, cookie }: { sessions: SessionService; cookie: RefreshCookie }): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/logout',
      tag,
      summary: 'Ends this session, on every node and socket',
      access: signedIn,
      answer: { status: 204 },
      async handle({ actor, response }) {
        await sessions.signOut(actor.sessionId, actor.id);
        cookie.clear(response);
      },
    }),
    route({
      method: 'post',
      path: '/auth/logout-all',
      tag,
      summary: 'Ends all of one’s sessions, this one included',
      access: signedIn,
      answer: { status: 204 },
      async handle({ actor, response }) {
        await sessions.signOutEverywhere(actor.id);
        cookie.clear(response);
      },
    }),
    route({
      method: 'get',
      path: '/auth/sessions',
      tag,
      summary: 'Where one is signed in, the newest first',
      access: signedIn,
      answer: { status: 200, body: sessionsAnswer },
      handle: ({ actor }) => sessions.list(actor.id),
      present: (found, { actor }) => ({
        data: found.map(({ _id, userAgent, ip, createdAt, rotatedAt }) => ({
          id: _id.toHexString(),
          device: describeDevice(userAgent),
          place: ip ?? 'unknown',
          current: _id.toHexString() === actor.sessionId,
          createdAt,
          lastUsedAt: rotatedAt,
        })),
      }),
    }),
    route({
      method: 'delete',
      path: '/auth/sessions/:sessionId',
      tag,
      summary: 'Ends one of one’s sessions',
      access: signedIn,
      params: shape({ sessionId: objectId() }),
      problems: ['SESSION_NOT_FOUND'],
      answer: { status: 204 },
      handle: ({ actor, params }) => sessions.revoke(params.sessionId, actor.id),
    }),
  ];
}
