import { flag, instant, named, objectId, oneOf, record, shape, text, whole } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { REACTION_TYPES, TEXT_DIRECTIONS } from './post.model.js';

export const postBody = named(
  'NewPost',
  shape(
    { content: text({ min: 1, max: 3_000 }) },
    { kind: oneOf(['text']), textDirection: oneOf(TEXT_DIRECTIONS), visibility: oneOf(['public']) },
  ),
);

export const commentBody = named('NewComment', shape({ content: text({ min: 1, max: 1_000 }) }));

export const reactionBody = named('NewReaction', shape({ type: oneOf(REACTION_TYPES) }));

export const reactionCounts = named('ReactionCounts', record(REACTION_TYPES, whole({ min: 0 })));

export const postAnswer = named(
  'Post',
  shape(
    {
      id: objectId(),
      author: userSummary,
      kind: oneOf(['text']),
      content: text(),
      textDirection: oneOf(TEXT_DIRECTIONS),
      visibility: oneOf(['public']),
      createdAt: instant(),
      reactionCounts,
      commentCount: whole({ min: 0 }),
      repostCount: whole({ min: 0 }),
    },
    { myReaction: oneOf(REACTION_TYPES) },
  ),
);

export const commentAnswer = named(
  'Comment',
  shape({ id: objectId(), postId: objectId(), author: userSummary, content: text(), createdAt: instant() }),
);

export const reactionAnswer = named(
  'Reaction',
  shape({ id: objectId(), user: userSummary, type: oneOf(REACTION_TYPES), createdAt: instant() }),
);

export const reactedAnswer = named(
  'Reacted',
  shape({ reacted: flag(), reactionCounts }, { type: oneOf(REACTION_TYPES) }),
);

/** What watchers of a post are told when its numbers change. */
export const countsPayload = named(
  'PostCounts',
  shape({ postId: objectId(), reactionCounts, commentCount: whole({ min: 0 }) }),
);

export const postParams = shape({ postId: objectId() });
export const commentParams = shape({ postId: objectId(), commentId: objectId() });
