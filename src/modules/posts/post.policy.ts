import { allow, type Decision, deny } from '../../core/http/policy.js';
import { type Actor } from '../../core/http/route.js';
import { type Comment, type Post } from './post.model.js';

const isModerator = (actor: Actor): boolean => actor.role === 'moderator' || actor.role === 'admin';
const isAuthor = (actor: Actor, { authorId }: { authorId: { toHexString(): string } }): boolean =>
  authorId.toHexString() === actor.id;

/** Who may do what with posts and their comments. Public posts may be read, reacted to and commented on by anyone. */
export const postPolicy = {
  remove: (actor: Actor, post: Post): Decision =>
    isAuthor(actor, post) || isModerator(actor)
      ? allow()
      : deny('NOT_YOUR_POST', 'Only its author or a moderator may delete a post.'),
  removeComment: (actor: Actor, { post, comment }: { post: Post; comment: Comment }): Decision =>
    isAuthor(actor, comment) || isAuthor(actor, post) || isModerator(actor)
      ? allow()
      : deny('NOT_YOUR_COMMENT', 'Only its author, the post’s author or a moderator may delete a comment.'),
};
