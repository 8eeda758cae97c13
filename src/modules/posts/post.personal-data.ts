import { ObjectId } from 'mongodb';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { PostEraser, type PostEraserDeps } from './post.eraser.js';
import { type Comment, type Post, type Reaction } from './post.model.js';
import { presentCounts } from './post.presenter.js';

/** Posts, comments and reactions; deleted ones, too, as long as they are kept. */
export function postData(deps: PostEraserDeps): PersonalData {
  const { database } = deps;
  const eraser = new PostEraser(deps);
  return {
    name: 'posts',
    collections: ['posts', 'reactions', 'comments'],
    async *export(userId) {
      const own = new ObjectId(userId);
      const posts = database.collection<Post>('posts').find({ authorId: own });
      yield* exportedList('posts', posts, (post) => ({
        id: post._id.toHexString(),
        kind: post.kind,
        content: post.content,
        visibility: post.visibility,
        reactionCounts: presentCounts(post.reactionCounts),
        commentCount: post.commentCount,
        createdAt: post.createdAt,
        ...(post.deletedAt != null && { deletedAt: post.deletedAt }),
      }));
      const comments = database.collection<Comment>('comments').find({ authorId: own });
      yield* exportedList('comments', comments, ({ _id, postId, content, createdAt, deletedAt }) => ({
        id: _id.toHexString(),
        postId: postId.toHexString(),
        content,
        createdAt,
        ...(deletedAt != null && { deletedAt }),
      }));
      const reactions = database.collection<Reaction>('reactions').find({ userId: own });
      yield* exportedList('reactions', reactions, ({ postId, type, createdAt }) => ({
        postId: postId.toHexString(),
        type,
        createdAt,
      }));
    },
    erase: (userId) => eraser.erase(userId),
  };
}
