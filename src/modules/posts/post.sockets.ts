import { isEvent } from '../../core/events/event.js';
import { notFound } from '../../core/http/problem.js';
import { objectId, shape } from '../../core/http/schema.js';
import { clientEvent, type NamespaceDefinition } from '../../core/realtime/namespace.js';
import { commentCreated, commentDeleted, postReacted, postUnreacted } from './post.events.js';
import { commentAnswer, countsPayload } from './post.schemas.js';
import { type PostService } from './post.service.js';

const postRoom = (postId: string): string => `post:${postId}`;
/** The kinds of event that carry a post's numbers as they then are. */
const COUNTING = new Set([postReacted, postUnreacted, commentCreated, commentDeleted].map(({ type }) => type));

const watched = shape({ postId: objectId() });

/** Live numbers and comments for those who have a post on their screen. */
export function feedNamespace(posts: PostService): NamespaceDefinition {
  return {
    name: '/feed',
    summary: 'Live numbers and comments of the posts that are on screen.',
    clientEvents: {
      'post:watch': clientEvent({
        summary: 'Follows a post’s counts and new comments.',
        payload: watched,
        async handle({ payload, connection }) {
          if (!(await posts.find(payload.postId))) throw notFound('POST_NOT_FOUND', 'There is no such post.');
          connection.join(postRoom(payload.postId));
          return undefined;
        },
      }),
      'post:unwatch': clientEvent({
        summary: 'Ends `post:watch`.',
        payload: watched,
        handle({ payload, connection }) {
          connection.leave(postRoom(payload.postId));
          return Promise.resolve(undefined);
        },
      }),
    },
    serverEvents: {
      'post:counts': { summary: 'A watched post has new numbers.', payload: countsPayload },
      'comment:new': { summary: 'A watched post has a new comment.', payload: commentAnswer },
    },
    onEvent(event, emitter) {
      const changed = COUNTING.has(event.type);
      const { postId } = event.audience;
      if (!changed || postId === undefined || !emitter.has(postRoom(postId))) return;
      const { reactionCounts, commentCount } = event.data as { reactionCounts: object; commentCount: number };
      emitter.emit(postRoom(postId), 'post:counts', { postId, reactionCounts, commentCount });
      if (isEvent(event, commentCreated)) emitter.emit(postRoom(postId), 'comment:new', event.data.comment);
    },
  };
}
