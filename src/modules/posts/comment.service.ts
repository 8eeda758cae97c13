import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { excerptOf } from '../../core/excerpt.js';
import { type Outbox } from '../../core/events/outbox.js';
import { notFound } from '../../core/http/problem.js';
import { type Actor } from '../../core/http/route.js';
import { type UserService } from '../users/index.js';
import { commentCreated, commentDeleted } from './post.events.js';
import { type Comment, type Post, type PostModels } from './post.model.js';
import { presentComment, presentCounts } from './post.presenter.js';

export interface CommentDeps {
  database: Database;
  models: PostModels;
  users: UserService;
  outbox: Outbox;
  clock: Clock;
}

export class CommentService {
  constructor(private readonly deps: CommentDeps) {}

  async create(actor: Actor, postId: string, content: string): Promise<Comment> {
    const { database, models, users, outbox, clock } = this.deps;
    const authors = await users.summaries([actor.id]);
    const comment: Comment = {
      _id: new ObjectId(),
      postId: new ObjectId(postId),
      authorId: new ObjectId(actor.id),
      content,
      createdAt: clock.now(),
    };
    await database.inTransaction(async (session) => {
      const post = await this.count(session, postId, 1);
      await models.comments.collection.insertOne(comment, { session });
      const facts = factsOf(post);
      await outbox.record(session, commentCreated, {
        actorId: actor.id,
        entity: { kind: 'comment', id: comment._id.toHexString() },
        audience: { userIds: [facts.authorId], postId },
        data: { ...facts, comment: presentComment(comment, authors), excerpt: excerptOf(content) },
      });
    });
    return comment;
  }

  /** A comment of that post, neither of which has been deleted, with the post. */
  async find(postId: string, commentId: string): Promise<{ post: Post; comment: Comment } | undefined> {
    const { posts, comments } = this.deps.models;
    const [post, comment] = await Promise.all([
      posts.findOne({ _id: postId, deletedAt: null }).lean<Post>(),
      comments.findOne({ _id: commentId, postId, deletedAt: null }).lean<Comment>(),
    ]);
    return post && comment ? { post, comment } : undefined;
  }

  /** The same by the comment's id alone. */
  async locate(commentId: string): Promise<{ post: Post; comment: Comment } | undefined> {
    const comment = await this.deps.models.comments.findOne({ _id: commentId, deletedAt: null }).lean<Comment>();
    return comment ? this.find(comment.postId.toHexString(), commentId) : undefined;
  }

  /** Marks the comment as deleted; twice changes nothing. */
  async remove(actor: Actor, { comment }: { comment: Comment }): Promise<void> {
    const { database, models, outbox, clock } = this.deps;
    const [postId, commentId] = [comment.postId.toHexString(), comment._id.toHexString()];
    await database.inTransaction(async (session) => {
      const { modifiedCount } = await models.comments.updateOne(
        { _id: commentId, deletedAt: null },
        { $set: { deletedAt: clock.now() } },
        { session },
      );
      if (modifiedCount === 0) return;
      const post = await this.count(session, postId, -1);
      await outbox.record(session, commentDeleted, {
        actorId: actor.id,
        entity: { kind: 'comment', id: commentId },
        audience: { postId },
        data: { ...factsOf(post), commentId },
      });
    });
  }

  private async count(session: ClientSession, postId: string, by: 1 | -1): Promise<Post> {
    const post = await this.deps.models.posts
      .findOneAndUpdate(
        { _id: postId, deletedAt: null },
        { $inc: { commentCount: by } },
        { returnDocument: 'after', session },
      )
      .lean<Post>();
    if (!post) throw notFound('POST_NOT_FOUND', 'There is no such post.');
    return post;
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
