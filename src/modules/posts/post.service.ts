import { ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { excerptOf } from '../../core/excerpt.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Actor } from '../../core/http/route.js';
import { type Infer } from '../../core/http/schema.js';
import { postCreated, postDeleted } from './post.events.js';
import { type Post, type PostModels } from './post.model.js';
import { type postBody } from './post.schemas.js';

export class PostService {
  constructor(private readonly deps: { database: Database; models: PostModels; outbox: Outbox; clock: Clock }) {}

  async create(actor: Actor, input: Infer<typeof postBody>): Promise<Post> {
    const { database, models, outbox, clock } = this.deps;
    const now = clock.now();
    const post: Post = {
      _id: new ObjectId(),
      authorId: new ObjectId(actor.id),
      kind: input.kind ?? 'text',
      content: input.content,
      textDirection: input.textDirection ?? 'auto',
      visibility: input.visibility ?? 'public',
      reactionCounts: { LIKE: 0, CELEBRATE: 0, SUPPORT: 0, LOVE: 0, INSIGHTFUL: 0, FUNNY: 0 },
      commentCount: 0,
      createdAt: now,
      updatedAt: now,
    };
    await database.inTransaction(async (session) => {
      await models.posts.collection.insertOne(post, { session });
      await outbox.record(session, postCreated, {
        actorId: actor.id,
        entity: { kind: 'post', id: post._id.toHexString() },
        data: { postId: post._id.toHexString(), authorId: actor.id, excerpt: excerptOf(post.content) },
      });
    });
    return post;
  }

  /** A post that has not been deleted. */
  async find(id: string): Promise<Post | undefined> {
    return (await this.deps.models.posts.findOne({ _id: id, deletedAt: null }).lean<Post>()) ?? undefined;
  }

  /** Marks the post as deleted; its reactions and comments are out of reach with it. Twice changes nothing. */
  async remove(actor: Actor, post: Post): Promise<void> {
    const { database, models, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const { modifiedCount } = await models.posts.updateOne(
        { _id: post._id, deletedAt: null },
        { $set: { deletedAt: clock.now() } },
        { session },
      );
      if (modifiedCount === 0) return;
      const postId = post._id.toHexString();
      await outbox.record(session, postDeleted, {
        actorId: actor.id,
        entity: { kind: 'post', id: postId },
        audience: { postId },
        data: { postId, authorId: post.authorId.toHexString() },
      });
    });
  }
}
