import { type UserSummary } from '../users/index.js';
import {
  type Comment,
  type Post,
  type Reaction,
  REACTION_TYPES,
  type ReactionCounts,
  type ReactionType,
} from './post.model.js';

/** Stands in for an author whose account is gone. */
function authorOf(authors: Map<string, UserSummary>, id: string): UserSummary {
  return authors.get(id) ?? { id, name: 'Deleted user', role: 'student' };
}

/** Counts without the types nobody chose. */
export function presentCounts(counts: ReactionCounts): ReactionCounts {
  return Object.fromEntries(
    REACTION_TYPES.filter((type) => (counts[type] ?? 0) > 0).map((type) => [type, counts[type]]),
  );
}

export function presentPost(post: Post, authors: Map<string, UserSummary>, myReaction?: ReactionType) {
  return {
    id: post._id.toHexString(),
    author: authorOf(authors, post.authorId.toHexString()),
    kind: post.kind,
    content: post.content,
    textDirection: post.textDirection,
    visibility: post.visibility,
    createdAt: post.createdAt,
    reactionCounts: presentCounts(post.reactionCounts),
    commentCount: post.commentCount,
    repostCount: 0,
    ...(myReaction !== undefined && { myReaction }),
  };
}

export function presentComment(comment: Comment, authors: Map<string, UserSummary>) {
  return {
    id: comment._id.toHexString(),
    postId: comment.postId.toHexString(),
    author: authorOf(authors, comment.authorId.toHexString()),
    content: comment.content,
    createdAt: comment.createdAt,
  };
}

export function presentReaction(reaction: Reaction, users: Map<string, UserSummary>) {
  return {
    id: reaction._id.toHexString(),
    user: authorOf(users, reaction.userId.toHexString()),
    type: reaction.type,
    createdAt: reaction.createdAt,
  };
}
