import { pageOf } from '../../core/http/paging.js';
import { allow, type Decision, hide } from '../../core/http/policy.js';
import { type Actor, type Route, route, signedIn } from '../../core/http/route.js';
import { anyOf, objectId, shape } from '../../core/http/schema.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type Directory } from './directory.js';
import { preferenceRoutes } from './preferences.routes.js';
import { placementBody, profilePatch } from './profile.schemas.js';
import { type User } from './user.model.js';
import { presentLimited, presentUser, summarise } from './user.presenter.js';
import { directoryQuery, limitedAnswer, userAnswer, userPatch, userSummary } from './user.schemas.js';
import { type UserService } from './user.service.js';

export interface UserRouteDeps {
  users: UserService;
  directory: Directory;
  visibility: Visibility;
  permissions: Permissions;
}

export function userRoutes({ users, directory, visibility, permissions }: UserRouteDeps): Route[] {
  const tag = 'users';
  const mayView = async (actor: Actor, user: User): Promise<Decision> =>
    (await visibility.areHidden(actor.id, user._id.toHexString())) ? hide() : allow();
  /** Admins see the address and the suspension of an account; nothing else of it is kept from them either. */
  const mayViewAll = async (actor: Actor, user: User): Promise<boolean> =>
    actor.role === 'admin' || (await permissions.can(actor.id, 'viewProfile', user._id.toHexString()));
  return [
    route({
      method: 'get',
      path: '/users/me',
      tag,
      summary: 'One’s own account',
      access: signedIn,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor }) => users.get(actor.id),
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
      path: '/users',
      tag,
      summary: 'The directory, by name',
      description:
        'Text is compared without case, diacritics and Arabic letter forms; `q` is the beginning of a name. By anything but name and role only those are found whose profile one may view.',
      access: signedIn,
      query: directoryQuery,
      answer: { status: 200, body: pageOf(userSummary) },
      handle: ({ actor, query }) => directory.list(actor, query),
      present: ({ data, nextCursor }) => ({
        data: data.map(({ user, isOpen }) => (isOpen ? summarise(user) : presentLimited(user))),
        nextCursor,
      }),
    }),
    route({
      method: 'get',
      path: '/profiles/:userId',
      tag,
      summary: 'A user’s profile; name, role and picture alone where the user shares no more',
      access: signedIn,
      params: shape({ userId: objectId() }),
      answer: { status: 200, body: anyOf([userAnswer, limitedAnswer]) },
      missing: 'USER_NOT_FOUND',
      load: ({ params }) => users.find(params.userId),
      policy: mayView,
      handle: async ({ actor, resource: user }) => ({ user, isOpen: await mayViewAll(actor, user) }),
      present: ({ user, isOpen }, { actor }) => (isOpen ? presentUser(user, actor) : presentLimited(user)),
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
    route({
      method: 'put',
      path: '/profiles/me/placement',
      tag,
      summary: 'Says where one has found a position',
      access: signedIn,
      body: placementBody,
      answer: { status: 200, body: userAnswer },
      handle: ({ actor, body }) => users.place(actor.id, body),
      present: (user, { actor }) => presentUser(user, actor),
    }),
    ...preferenceRoutes(users),
  ];
}
