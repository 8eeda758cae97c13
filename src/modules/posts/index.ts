import { type Module, type ModuleContext } from '../../core/module.js';
import { type UserService } from '../users/index.js';
import { CommentService } from './comment.service.js';
import { postEvents } from './post.events.js';
import { postModels } from './post.model.js';
import { postRoutes } from './post.routes.js';
import { PostService } from './post.service.js';
import { feedNamespace } from './post.sockets.js';
import { ReactionService } from './reaction.service.js';

export { commentCreated, postReacted } from './post.events.js';
export { postCollections } from './post.model.js';

/** Posts, reactions to them and comments on them. */
export function createPosts(
  { database, outbox, clock, pager }: ModuleContext,
  { users }: { users: UserService },
): Module {
  const models = postModels(database.connection);
  const posts = new PostService({ database, models, outbox, clock });
  const reactions = new ReactionService({ database, models, outbox, clock });
  const comments = new CommentService({ database, models, users, outbox, clock });
  return {
    routes: postRoutes({ posts, reactions, comments, database, users, pager }),
    namespaces: [feedNamespace(posts)],
    events: postEvents,
  };
}
