import { type Module, type ModuleContext } from '../../core/module.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { CommentService } from './comment.service.js';
import { postEvents } from './post.events.js';
import { postModels } from './post.model.js';
import { postData } from './post.personal-data.js';
import { postPolicy } from './post.policy.js';
import { postRoutes } from './post.routes.js';
import { PostService } from './post.service.js';
import { feedNamespace } from './post.sockets.js';
import { ReactionService } from './reaction.service.js';

export { type CommentService } from './comment.service.js';
export { commentCreated, commentDeleted, postDeleted, postReacted, postUnreacted } from './post.events.js';
export { postCollections } from './post.model.js';
export { type PostService } from './post.service.js';

/** Posts, reactions to them and comments on them. */
export function createPosts(
  { database, outbox, clock, pager, log }: ModuleContext,
  { users, visibility, permissions }: { users: UserService; visibility: Visibility; permissions: Permissions },
): Module & { posts: PostService; comments: CommentService } {
  const models = postModels(database.connection);
  const posts = new PostService({ database, models, outbox, clock });
  const reactions = new ReactionService({ database, models, outbox, clock });
  const comments = new CommentService({ database, models, users, outbox, clock });
  const policy = postPolicy(visibility, permissions);
  return {
    posts,
    comments,
    routes: postRoutes({ posts, reactions, comments, database, users, pager, visibility, policy }),
    namespaces: [feedNamespace({ posts, visibility, log })],
    events: postEvents,
    personalData: [postData({ database, outbox, clock })],
  };
}
