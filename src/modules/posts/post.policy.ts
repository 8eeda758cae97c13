import { allow, type Decision, deny, hide } from '../../core/http/policy.js';
import { type Actor } from '../../core/http/route.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type User } from '../users/index.js';
import { type Comment, type Post } from './post.model.js';

const isModerator = (actor: Actor): boolean => actor.role === 'moderator' || actor.role === 'admin';
const isAuthor = (actor: Actor, { authorId }: { authorId: { toHexString(): string } }): boolean =>
  authorId.toHexString() === actor.id;

/**
 * Who may do what with posts and their comments. Public posts may be read, reacted to and commented on by anyone from
 * whom their author is not hidden. Moderators are let to delete first of all: nobody escapes them by a block.
 */
export function postPolicy(visibility: Visibility, permissions: Permissions) {
  const seen = async (actor: Actor, authors: { authorId: { toHexString(): string } }[], decision: Decision) => {
    const hidden = await visibility.hiddenFrom(actor.id);
    return authors.some(({ authorId }) => hidden.has(authorId.toHexString())) ? hide() : decision;
  };
  return {
    list: async (actor: Actor, { _id }: User): Promise<Decision> => {
      const authorId = _id.toHexString();
      if (await visibility.areHidden(actor.id, authorId)) return hide();
      return (await permissions.can(actor.id, 'viewActivity', authorId))
        ? allow()
        : deny('ACTIVITY_NOT_SHARED', 'This user does not share with you what they have posted.');
    },
    see: (actor: Actor, post: Post): Promise<Decision> => seen(actor, [post], allow()),
    remove: async (actor: Actor, post: Post): Promise<Decision> => {
      if (isAuthor(actor, post) || isModerator(actor)) return allow();
      return seen(actor, [post], deny('NOT_YOUR_POST', 'Only its author or a moderator may delete a post.'));
    },
    removeComment: async (actor: Actor, { post, comment }: { post: Post; comment: Comment }): Promise<Decision> => {
      if (isModerator(actor)) return allow();
      const may = isAuthor(actor, comment) || isAuthor(actor, post);
      const detail = 'Only its author, the post’s author or a moderator may delete a comment.';
      return seen(actor, [post, comment], may ? allow() : deny('NOT_YOUR_COMMENT', detail));
    },
  };
}
export type PostPolicy = ReturnType<typeof postPolicy>;
