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

const EXCERPT_CHARACTERS = 120;

/** The beginning of a text on one line, cut between words where that is possible. */
export function excerptOf(content: string): string {
  const line = content.replace(/\s+/gu, ' ').trim();
  const characters = Array.from(line);
  if (characters.length <= EXCERPT_CHARACTERS) return line;
  const cut = characters.slice(0, EXCERPT_CHARACTERS).join('');
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > EXCERPT_CHARACTERS / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
