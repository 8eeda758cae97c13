import { type ObjectId } from 'mongodb';
import { trusted } from 'mongoose';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { excerptOf } from '../../core/excerpt.js';
import { type Outbox } from '../../core/events/outbox.js';
import { notFound } from '../../core/http/problem.js';
import { type Actor } from '../../core/http/route.js';
import { postReacted, postUnreacted } from './post.events.js';
import { type Post, type PostModels, type Reaction, type ReactionCounts, type ReactionType } from './post.model.js';
import { presentCounts } from './post.presenter.js';

export interface Reacted {
  reacted: boolean;
  type?: ReactionType;
  reactionCounts: ReactionCounts;
}

/** Reactions: one per user and post, changeable, with counts on the post that are right whatever happens at once. */
export class ReactionService {
  constructor(private readonly deps: { database: Database; models: PostModels; outbox: Outbox; clock: Clock }) {}

  /** Sets the actor's reaction. Setting the same one again changes nothing and tells nobody. */
  react(actor: Actor, postId: string, type: ReactionType): Promise<Reacted> {
    const { database, models, outbox, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const previous = await models.reactions
        .findOneAndUpdate(
          { postId, userId: actor.id },
          { $set: { type }, $setOnInsert: { createdAt: clock.now() } },
          { upsert: true, returnDocument: 'before', session },
        )
        .lean<Reaction>();
      const previousType = previous?.type;
      if (previousType === type) {
        const post = await this.count(postId, {});
        return { reacted: true, type, reactionCounts: presentCounts(post.reactionCounts) };
      }
      const post = await this.count(postId, { [type]: 1, ...(previousType && { [previousType]: -1 }) });
      const facts = factsOf(post, actor);
      await outbox.record(session, postReacted, {
        actorId: actor.id,
        entity: { kind: 'post', id: postId },
        audience: { userIds: [facts.authorId], postId },
        data: { ...facts, type, excerpt: excerptOf(post.content), ...(previousType && { previousType }) },
      });
      return { reacted: true, type, reactionCounts: facts.reactionCounts };
    });
  }

  /** Takes the actor's reaction back; without one nothing changes. */
  unreact(actor: Actor, postId: string): Promise<Reacted> {
    const { database, models, outbox } = this.deps;
    return database.inTransaction(async (session) => {
      const removed = await models.reactions
        .findOneAndDelete({ postId, userId: actor.id }, { session })
        .lean<Reaction>();
      const post = await this.count(postId, removed ? { [removed.type]: -1 } : {});
      const facts = factsOf(post, actor);
      if (removed) {
        await outbox.record(session, postUnreacted, {
          actorId: actor.id,
          entity: { kind: 'post', id: postId },
          audience: { userIds: [facts.authorId], postId },
          data: { ...facts, type: removed.type },
        });
      }
      return { reacted: false, reactionCounts: facts.reactionCounts };
    });
  }

  /** The actor's reactions to the given posts, in one query. */
  async mine(actorId: string, postIds: ObjectId[]): Promise<Map<string, ReactionType>> {
    const own = await this.deps.models.reactions
      .find({ postId: trusted({ $in: postIds }), userId: actorId }, { postId: 1, type: 1 })
      .lean<Reaction[]>();
    return new Map(own.map(({ postId, type }) => [postId.toHexString(), type]));
  }

  /** Adds to the counts of a post and answers with the post as it then is; joins the transaction at hand. */
  private async count(postId: string, change: ReactionCounts): Promise<Post> {
    const increments = Object.fromEntries(Object.entries(change).map(([type, by]) => [`reactionCounts.${type}`, by]));
    const { posts } = this.deps.models;
    const post = await (
      Object.keys(increments).length === 0
        ? posts.findOne({ _id: postId, deletedAt: null })
        : posts.findOneAndUpdate({ _id: postId, deletedAt: null }, { $inc: increments }, { returnDocument: 'after' })
    ).lean<Post>();
    if (!post) throw notFound('POST_NOT_FOUND', 'There is no such post.');
    return post;
  }
}

function factsOf(post: Post, actor: Actor) {
  return {
    postId: post._id.toHexString(),
    authorId: post.authorId.toHexString(),
    userId: actor.id,
    reactionCounts: presentCounts(post.reactionCounts),
    commentCount: post.commentCount,
  };
}
