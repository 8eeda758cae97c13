import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { type Infer, shape } from '../../core/http/schema.js';
import { type UserService, type UserSummary } from '../users/index.js';
import { type Follow, type FollowTarget } from './follow.model.js';
import { followBody, followerAnswer, followingAnswer } from './follow.schemas.js';
import { type FollowService } from './follow.service.js';
import { personOf, type Reachable } from './people.js';

export interface FollowRouteDeps {
  follows: FollowService;
  users: UserService;
  reachable: Reachable;
}

const tag = 'follows';

export function followRoutes({ follows, users, reachable }: FollowRouteDeps): Route[] {
  const presentFollowing = async (found: Follow[]) => {
    const people = await users.summaries(found.flatMap(({ kind, target }) => (kind === 'user' ? [target] : [])));
    return found.map((follow) => following(follow, people));
  };
  return [
    route({
      method: 'post',
      path: '/follow',
      tag,
      summary: 'Follows a user or a hashtag; doing it again changes nothing',
      access: signedIn,
      body: followBody,
      limits: [{ name: 'follows', points: 50, seconds: 3_600 }],
      idempotent: true,
      load: async ({ actor, body }) => ('userId' in body ? reachable(actor.id, body.userId) : body),
      missing: 'USER_NOT_FOUND',
      problems: ['CANNOT_FOLLOW_YOURSELF'],
      answer: { status: 201, body: followingAnswer },
      handle: ({ actor, body }) => follows.start(actor.id, targetOf(body)),
      present: async (follow) => {
        const people = await users.summaries(follow.kind === 'user' ? [follow.target] : []);
        return following(follow, people);
      },
    }),
    route({
      method: 'delete',
      path: '/follow',
      tag,
      summary: 'Follows a user or a hashtag no longer',
      access: signedIn,
      body: followBody,
      answer: { status: 204 },
      handle: ({ actor, body }) => follows.stop(actor.id, targetOf(body)),
    }),
    route({
      method: 'get',
      path: '/follow/followers',
      tag,
      summary: 'Who follows oneself, newest first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(followerAnswer) },
      handle: ({ actor, query }) => follows.followers(actor.id, query),
      present: async ({ data, nextCursor }) => {
        const people = await users.summaries(data.map(({ followerId }) => followerId.toHexString()));
        return {
          data: data.map(({ _id, followerId, createdAt }) => ({
            id: _id.toHexString(),
            user: personOf(people, followerId.toHexString()),
            createdAt,
          })),
          nextCursor,
        };
      },
    }),
    route({
      method: 'get',
      path: '/follow/following',
      tag,
      summary: 'What one follows oneself, newest first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(followingAnswer) },
      handle: ({ actor, query }) => follows.following(actor.id, query),
      present: async ({ data, nextCursor }) => ({ data: await presentFollowing(data), nextCursor }),
    }),
  ];
}

function targetOf(body: Infer<typeof followBody>): FollowTarget {
  return 'userId' in body ? { kind: 'user', target: body.userId } : { kind: 'hashtag', target: body.hashtag };
}

function following({ _id, kind, target, createdAt }: Follow, people: Map<string, UserSummary>) {
  return {
    id: _id.toHexString(),
    createdAt,
    ...(kind === 'user' ? { user: personOf(people, target) } : { hashtag: target }),
  };
}
