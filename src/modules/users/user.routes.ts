import { notFound } from '../../core/http/problem.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { objectId, shape } from '../../core/http/schema.js';
import { presentUser } from './user.presenter.js';
import { profilePatch, userAnswer, userPatch } from './user.schemas.js';
import { type UserService } from './user.service.js';

export function userRoutes(users: UserService): Route[] {
  const tag = 'users';
  const self = async (id: string) => {
    const user = await users.find(id);
    if (!user) throw notFound('USER_NOT_FOUND', 'There is no such user.');
    return user;
  };
  return [
    route({
      method: 'get',
      path: '/users/me',
      tag,
      summary: 'One’s own account',
      access: signedIn,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor }) => self(actor.id),
      present: (user, { actor }) => presentUser(user, actor),
    }),
    route({
      method: 'patch',
      path: '/users/me',
      tag,
      summary: 'Changes name or language',
      access: signedIn,
      body: userPatch,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor, body }) => users.update(actor.id, body),
      present: (user, { actor }) => presentUser(user, actor),
    }),
    route({
      method: 'get',
      path: '/profiles/:userId',
      tag,
      summary: 'A user’s profile',
      access: signedIn,
      params: shape({ userId: objectId() }),
      answer: { status: 200, body: userAnswer },
      missing: 'USER_NOT_FOUND',
      problems: ['USER_NOT_FOUND'],
      load: ({ params }) => users.find(params.userId),
      handle: ({ resource }) => Promise.resolve(resource),
      present: (user, { actor }) => presentUser(user, actor),
    }),
    route({
      method: 'patch',
      path: '/profiles/me',
      tag,
      summary: 'Changes one’s own profile',
      access: signedIn,
      body: profilePatch,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor, body }) => users.update(actor.id, body),
      present: (user, { actor }) => presentUser(user, actor),
    }),
  ];
}
