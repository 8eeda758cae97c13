import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { commentDeleted, postDeleted, postUnreacted } from './post.events.js';
import { type Comment, type Post, type Reaction } from './post.model.js';
import { presentCounts } from './post.presenter.js';

export interface PostEraserDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
}

/**
 * Removes what a user wrote, one thing at a time, each with what it counted for: killed anywhere, it goes on with what
 * is left. Posts go with the conversation below them.
 */
export class PostEraser {
  private readonly posts: Collection<Post>;
  private readonly reactions: Collection<Reaction>;
  private readonly comments: Collection<Comment>;

  constructor(private readonly deps: PostEraserDeps) {
    this.posts = deps.database.collection('posts');
    this.reactions = deps.database.collection('reactions');
    this.comments = deps.database.collection('comments');
  }

  async erase(userId: string): Promise<void> {
    const own = new ObjectId(userId);
    for await (const { _id } of this.reactions.find({ userId: own }, { projection: { _id: 1 } })) {
      await this.removeReaction(_id, userId);
    }
    for await (const { _id } of this.comments.find({ authorId: own }, { projection: { _id: 1 } })) {
      await this.removeComment(_id, userId);
    }
    for await (const { _id } of this.posts.find({ authorId: own }, { projection: { _id: 1 } })) {
      await this.removePost(_id, userId);
    }
  }

  private removeReaction(_id: ObjectId, userId: string): Promise<void> {
    return this.deps.database.inTransaction(async (session) => {
      const removed = await this.reactions.findOneAndDelete({ _id }, { session });
      if (!removed) return;
      const { postId, type } = removed;
      const post = await this.count(session, postId, `reactionCounts.${type}`);
      if (!post) return;
      await this.deps.outbox.record(session, postUnreacted, {
        actorId: userId,
        entity: { kind: 'post', id: postId.toHexString() },
        audience: { userIds: [post.authorId.toHexString()], postId: postId.toHexString() },
        data: { ...factsOf(post), userId, type },
      });
    });
  }

  private removeComment(_id: ObjectId, userId: string): Promise<void> {
    return this.deps.database.inTransaction(async (session) => {
      const removed = await this.comments.findOneAndDelete({ _id }, { session });
      // One that was deleted before does not count any more.
      if (!removed || removed.deletedAt != null) return;
      const post = await this.count(session, removed.postId, 'commentCount');
      if (!post) return;
      const commentId = _id.toHexString();
      await this.deps.outbox.record(session, commentDeleted, {
        actorId: userId,
        entity: { kind: 'comment', id: commentId },
        audience: { postId: post._id.toHexString() },
        data: { ...factsOf(post), commentId },
      });
    });
  }

  private async removePost(_id: ObjectId, authorId: string): Promise<void> {
    const { database, outbox, clock } = this.deps;
    const postId = _id.toHexString();
    // First out of reach, so that nothing is added to it while it goes.
    await database.inTransaction(async (session) => {
      const hidden = { _id, deletedAt: null } as const;
      const { modifiedCount } = await this.posts.updateOne(hidden, { $set: { deletedAt: clock.now() } }, { session });
      if (modifiedCount === 0) return;
      await outbox.record(session, postDeleted, {
        actorId: authorId,
        entity: { kind: 'post', id: postId },
        audience: { postId },
        data: { postId, authorId },
      });
    });
    await this.comments.deleteMany({ postId: _id });
    await this.reactions.deleteMany({ postId: _id });
    await this.posts.deleteOne({ _id });
  }

  /** Takes one from a count of a post that is still there. */
  private count(session: ClientSession, _id: ObjectId, counter: string): Promise<Post | null> {
    return this.posts.findOneAndUpdate(
      { _id, deletedAt: null },
      { $inc: { [counter]: -1 } },
      { session, returnDocument: 'after' },
    );
  }
}

function factsOf(post: Post) {
  return {
    postId: post._id.toHexString(),
    authorId: post.authorId.toHexString(),
    reactionCounts: presentCounts(post.reactionCounts),
    commentCount: post.commentCount,
  };
}
