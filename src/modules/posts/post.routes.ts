import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { pageOf, type Pager, pageQuery } from '../../core/http/paging.js';
import { type Actor, type Route, route, signedIn } from '../../core/http/route.js';
import { objectId, oneOf, shape } from '../../core/http/schema.js';
import { type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { type CommentService } from './comment.service.js';
import { type Comment, type Post, type Reaction, REACTION_TYPES } from './post.model.js';
import { type PostPolicy } from './post.policy.js';
import { presentComment, presentPost, presentReaction } from './post.presenter.js';
import {
  commentAnswer,
  commentBody,
  commentParams,
  postAnswer,
  postBody,
  postParams,
  reactedAnswer,
  reactionAnswer,
  reactionBody,
} from './post.schemas.js';
import { type PostService } from './post.service.js';
import { type ReactionService } from './reaction.service.js';

export interface PostRouteDeps {
  posts: PostService;
  reactions: ReactionService;
  comments: CommentService;
  database: Database;
  users: UserService;
  pager: Pager;
  visibility: Visibility;
  policy: PostPolicy;
}

const HOUR_IN_SECONDS = 3_600;
/** What reactions and comments count in: the post. */
const counterOf = ({ params }: { params: { postId: string } }): string => `post ${params.postId}`;
const newestFirst = [['_id', -1]] as const;

export function postRoutes(deps: PostRouteDeps): Route[] {
  return [...ownRoutes(deps), ...reactionRoutes(deps), ...commentRoutes(deps)];
}

/** The ids to leave out of a list that this user reads. */
async function hiddenIds(visibility: Visibility, { id }: Actor): Promise<ObjectId[]> {
  return [...(await visibility.hiddenFrom(id))].map((hidden) => new ObjectId(hidden));
}

function ownRoutes({ posts, reactions, database, users, pager, policy }: PostRouteDeps): Route[] {
  const tag = 'posts';
  const load = ({ params }: { params: { postId: string } }) => posts.find(params.postId);

  /** Posts with their authors and the viewer's own reactions: two queries for the whole page. */
  const presentAll = async (found: Post[], viewer: Actor) => {
    const [authors, mine] = await Promise.all([
      users.summaries(found.map(({ authorId }) => authorId.toHexString())),
      reactions.mine(
        viewer.id,
        found.map(({ _id }) => _id),
      ),
    ]);
    return found.map((post) => presentPost(post, authors, mine.get(post._id.toHexString())));
  };
  const presentOne = async (post: Post, viewer: Actor) => {
    const [presented] = await presentAll([post], viewer);
    if (!presented) throw new Error('one post makes one answer');
    return presented;
  };

  return [
    route({
      method: 'post',
      path: '/posts',
      tag,
      summary: 'Publishes a post',
      access: signedIn,
      body: postBody,
      limits: [{ name: 'posts', points: 10, seconds: HOUR_IN_SECONDS }],
      idempotent: true,
      answer: { status: 201, body: postAnswer },
      handle: ({ actor, body }) => posts.create(actor, body),
      present: (post, { actor }) => presentOne(post, actor),
    }),
    route({
      method: 'get',
      path: '/posts/:postId',
      tag,
      summary: 'One post',
      access: signedIn,
      params: postParams,
      load,
      missing: 'POST_NOT_FOUND',
      policy: policy.see,
      answer: { status: 200, body: postAnswer },
      handle: ({ resource }) => Promise.resolve(resource),
      present: (post, { actor }) => presentOne(post, actor),
    }),
    route({
      method: 'delete',
      path: '/posts/:postId',
      tag,
      summary: 'Deletes a post',
      access: signedIn,
      params: postParams,
      load,
      missing: 'POST_NOT_FOUND',
      policy: policy.remove,
      problems: ['NOT_YOUR_POST'],
      answer: { status: 204 },
      handle: ({ actor, resource }) => posts.remove(actor, resource),
    }),
    route({
      method: 'get',
      path: '/users/:userId/posts',
      tag,
      summary: 'A user’s posts, newest first',
      access: signedIn,
      params: shape({ userId: objectId() }),
      query: shape(pageQuery),
      load: ({ params }) => users.find(params.userId),
      missing: 'USER_NOT_FOUND',
      policy: policy.list,
      problems: ['ACTIVITY_NOT_SHARED'],
      answer: { status: 200, body: pageOf(postAnswer) },
      handle: ({ params, query }) =>
        pager.page<Post>({
          collection: database.collection('posts'),
          filter: { authorId: new ObjectId(params.userId), deletedAt: null },
          sort: newestFirst,
          scope: `posts of ${params.userId}`,
          ...query,
        }),
      present: async ({ data, nextCursor }, { actor }) => ({ data: await presentAll(data, actor), nextCursor }),
    }),
  ];
}

function reactionRoutes({ posts, reactions, database, users, pager, visibility, policy }: PostRouteDeps): Route[] {
  const tag = 'reactions';
  const target = {
    tag,
    access: signedIn,
    params: postParams,
    load: ({ params }: { params: { postId: string } }) => posts.find(params.postId),
    missing: 'POST_NOT_FOUND',
    policy: policy.see,
  } as const;

  const limits = [{ name: 'reactions', points: 60, seconds: 60 }];
  return [
    route({
      ...target,
      method: 'post',
      path: '/posts/:postId/react',
      summary: 'Sets one’s reaction to a post',
      body: reactionBody,
      limits,
      serialBy: counterOf,
      idempotent: true,
      answer: { status: 200, body: reactedAnswer },
      handle: ({ actor, params, body }) => reactions.react(actor, params.postId, body.type),
    }),
    route({
      ...target,
      method: 'delete',
      path: '/posts/:postId/react',
      summary: 'Takes one’s reaction back',
      limits,
      serialBy: counterOf,
      answer: { status: 200, body: reactedAnswer },
      handle: ({ actor, params }) => reactions.unreact(actor, params.postId),
    }),
    route({
      ...target,
      method: 'get',
      path: '/posts/:postId/reactions',
      summary: 'Who reacted, newest first',
      query: shape(pageQuery, { type: oneOf(REACTION_TYPES) }),
      answer: { status: 200, body: pageOf(reactionAnswer) },
      handle: async ({ actor, params, query: { type, ...page } }) =>
        pager.page<Reaction>({
          collection: database.collection('reactions'),
          filter: {
            postId: new ObjectId(params.postId),
            userId: { $nin: await hiddenIds(visibility, actor) },
            ...(type && { type }),
          },
          sort: newestFirst,
          scope: `reactions to ${params.postId} ${type ?? ''}`,
          ...page,
        }),
      present: async ({ data, nextCursor }) => {
        const people = await users.summaries(data.map(({ userId }) => userId.toHexString()));
        return { data: data.map((reaction) => presentReaction(reaction, people)), nextCursor };
      },
    }),
  ];
}

function commentRoutes({ posts, comments, database, users, pager, visibility, policy }: PostRouteDeps): Route[] {
  const tag = 'comments';
  const load = ({ params }: { params: { postId: string } }) => posts.find(params.postId);
  const presentAll = async (found: Comment[]) => {
    const authors = await users.summaries(found.map(({ authorId }) => authorId.toHexString()));
    return found.map((comment) => presentComment(comment, authors));
  };
  return [
    route({
      method: 'post',
      path: '/posts/:postId/comments',
      tag,
      summary: 'Comments on a post',
      access: signedIn,
      params: postParams,
      body: commentBody,
      load,
      missing: 'POST_NOT_FOUND',
      policy: policy.see,
      idempotent: true,
      serialBy: counterOf,
      answer: { status: 201, body: commentAnswer },
      handle: ({ actor, params, body }) => comments.create(actor, params.postId, body.content),
      present: async (comment) => {
        const [presented] = await presentAll([comment]);
        if (!presented) throw new Error('one comment makes one answer');
        return presented;
      },
    }),
    route({
      method: 'get',
      path: '/posts/:postId/comments',
      tag,
      summary: 'A post’s comments, newest first',
      access: signedIn,
      params: postParams,
      query: shape(pageQuery),
      load,
      missing: 'POST_NOT_FOUND',
      policy: policy.see,
      answer: { status: 200, body: pageOf(commentAnswer) },
      handle: async ({ actor, params, query }) =>
        pager.page<Comment>({
          collection: database.collection('comments'),
          filter: {
            postId: new ObjectId(params.postId),
            authorId: { $nin: await hiddenIds(visibility, actor) },
            deletedAt: null,
          },
          sort: newestFirst,
          scope: `comments on ${params.postId}`,
          ...query,
        }),
      present: async ({ data, nextCursor }) => ({ data: await presentAll(data), nextCursor }),
    }),
    route({
      method: 'delete',
      path: '/posts/:postId/comments/:commentId',
      tag,
      summary: 'Deletes a comment',
      access: signedIn,
      params: commentParams,
      load: ({ params }) => comments.find(params.postId, params.commentId),
      missing: 'COMMENT_NOT_FOUND',
      policy: policy.removeComment,
      problems: ['NOT_YOUR_COMMENT'],
      serialBy: counterOf,
      answer: { status: 204 },
      handle: ({ actor, resource }) => comments.remove(actor, resource),
    }),
  ];
}
