import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { notFound } from '../../core/http/problem.js';
import { objectId, shape } from '../../core/http/schema.js';
import { type Log } from '../../core/observability/log.js';
import { clientEvent, type LocalEmitter, type NamespaceDefinition, userRoom } from '../../core/realtime/namespace.js';
import { SerialByKey } from '../../core/serial.js';
import { type Visibility } from '../../core/visibility.js';
import { commentCreated, commentDeleted, postReacted, postUnreacted } from './post.events.js';
import { commentAnswer, countsPayload } from './post.schemas.js';
import { type PostService } from './post.service.js';

const postRoom = (postId: string): string => `post:${postId}`;
/** The kinds of event that carry a post's numbers as they then are. */
const COUNTING = new Set([postReacted, postUnreacted, commentCreated, commentDeleted].map(({ type }) => type));

const watched = shape({ postId: objectId() });

interface Numbers {
  authorId: string;
  reactionCounts: object;
  commentCount: number;
}

export interface FeedDeps {
  posts: PostService;
  visibility: Visibility;
  log: Log;
}

/** Live numbers and comments for those who have a post on their screen. */
export function feedNamespace({ posts, visibility, log }: FeedDeps): NamespaceDefinition {
  const inOrder = new SerialByKey();

  /** The rooms of all who must not hear of something by this user. */
  const roomsApartFrom = async (userId: string): Promise<string[]> =>
    [...(await visibility.hiddenFrom(userId))].map(userRoom);

  const show = async (event: DomainEvent, postId: string, emitter: LocalEmitter): Promise<void> => {
    const { authorId, reactionCounts, commentCount } = event.data as Numbers;
    const room = postRoom(postId);
    // Who began to watch before the block goes on being in the room.
    const fromAuthor = await roomsApartFrom(authorId);
    emitter.emit(room, 'post:counts', { postId, reactionCounts, commentCount }, { except: fromAuthor });
    if (!isEvent(event, commentCreated)) return;
    const { comment } = event.data;
    const except = [...fromAuthor, ...(await roomsApartFrom(comment.author.id))];
    emitter.emit(room, 'comment:new', comment, { except });
  };

  return {
    name: '/feed',
    summary: 'Live numbers and comments of the posts that are on screen.',
    clientEvents: {
      'post:watch': clientEvent({
        summary: 'Follows a post’s counts and new comments.',
        payload: watched,
        async handle({ actor, payload, connection }) {
          const post = await posts.find(payload.postId);
          if (!post || (await visibility.areHidden(actor.id, post.authorId.toHexString()))) {
            throw notFound('POST_NOT_FOUND', 'There is no such post.');
          }
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
      inOrder
        .run(postId, () => show(event, postId, emitter))
        .catch((error: unknown) => log.warn({ err: error }, 'posts: live numbers could not be shown'));
    },
  };
}
