import { type Route, roles, route } from '../../core/http/route.js';
import { objectId, shape } from '../../core/http/schema.js';
import { presentUser, userAnswer } from '../users/index.js';
import { type AccountAdmin } from './account-admin.js';
import { accountPatch } from './auth.schemas.js';

/** Roles and suspension. */
export function adminRoutes(admin: AccountAdmin): Route[] {
  return [
    route({
      method: 'patch',
      path: '/admin/users/:userId',
      tag: 'admin',
      summary: 'Gives a user another role, suspends them until a moment, or lifts a suspension by null',
      description: 'Takes effect with the next request, on every node; a suspension also closes sockets.',
      access: roles('admin'),
      params: shape({ userId: objectId() }),
      body: accountPatch,
      answer: { status: 200, body: userAnswer },
      problems: ['NOT_YOURSELF', 'USER_NOT_FOUND'],
      handle: ({ actor, params, body }) => admin.decide(actor, params.userId, body),
      present: (user, { actor }) => presentUser(user, actor),
    }),
  ];
}
