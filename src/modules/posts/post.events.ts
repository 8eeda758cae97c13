import { defineEvent } from '../../core/events/event.js';
import { objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { REACTION_TYPES } from './post.model.js';
import { commentAnswer, reactionCounts } from './post.schemas.js';

/** A short beginning of the text, for messages about it. */
const excerpt = text({ max: 140 });
const postFacts = { postId: objectId(), authorId: objectId() };
const counts = { reactionCounts, commentCount: whole({ min: 0 }) };

export const postCreated = defineEvent('post.created', shape({ ...postFacts, excerpt }));
export const postDeleted = defineEvent('post.deleted', shape(postFacts));

export const postReacted = defineEvent(
  'post.reacted',
  shape(
    { ...postFacts, ...counts, userId: objectId(), type: oneOf(REACTION_TYPES), excerpt },
    { previousType: oneOf(REACTION_TYPES) },
  ),
);
export const postUnreacted = defineEvent(
  'post.unreacted',
  shape({ ...postFacts, ...counts, userId: objectId(), type: oneOf(REACTION_TYPES) }),
);

export const commentCreated = defineEvent(
  'comment.created',
  shape({ ...postFacts, ...counts, comment: commentAnswer, excerpt }),
);
export const commentDeleted = defineEvent('comment.deleted', shape({ ...postFacts, ...counts, commentId: objectId() }));

export const postEvents = [postCreated, postDeleted, postReacted, postUnreacted, commentCreated, commentDeleted];
