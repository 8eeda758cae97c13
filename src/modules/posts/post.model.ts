import { type Connection, type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';

export const REACTION_TYPES = ['LIKE', 'CELEBRATE', 'SUPPORT', 'LOVE', 'INSIGHTFUL', 'FUNNY'] as const;
export type ReactionType = (typeof REACTION_TYPES)[number];
export type ReactionCounts = Partial<Record<ReactionType, number>>;

export const TEXT_DIRECTIONS = ['auto', 'rtl', 'ltr'] as const;

const counter = { type: Number, default: 0 };

export const postSchema = new Schema(
  {
    authorId: { type: Schema.Types.ObjectId, required: true },
    kind: { type: String, enum: ['text'] as const, required: true },
    content: { type: String, required: true },
    textDirection: { type: String, enum: TEXT_DIRECTIONS, required: true },
    visibility: { type: String, enum: ['public'] as const, required: true },
    reactionCounts: {
      type: new Schema(
        { LIKE: counter, CELEBRATE: counter, SUPPORT: counter, LOVE: counter, INSIGHTFUL: counter, FUNNY: counter },
        { _id: false },
      ),
      required: true,
    },
    commentCount: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    deletedAt: { type: Date },
  },
  { collection: 'posts', versionKey: false },
);
// A user's posts, newest first.
postSchema.index({ authorId: 1, _id: -1 }, { partialFilterExpression: { deletedAt: null } });
// All of a user's posts, deleted ones as well: their export and erasure.
postSchema.index({ authorId: 1, deletedAt: 1 });

export const reactionSchema = new Schema(
  {
    postId: { type: Schema.Types.ObjectId, required: true },
    userId: { type: Schema.Types.ObjectId, required: true },
    type: { type: String, enum: REACTION_TYPES, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'reactions', versionKey: false },
);
// One reaction per user and post; also "my reaction" beside a page of posts.
reactionSchema.index({ postId: 1, userId: 1 }, { unique: true });
// Who reacted, newest first, all types or one.
reactionSchema.index({ postId: 1, _id: -1 });
reactionSchema.index({ postId: 1, type: 1, _id: -1 });
// All of a user's reactions: their export and erasure.
reactionSchema.index({ userId: 1 });

export const commentSchema = new Schema(
  {
    postId: { type: Schema.Types.ObjectId, required: true },
    authorId: { type: Schema.Types.ObjectId, required: true },
    content: { type: String, required: true },
    createdAt: { type: Date, required: true },
    deletedAt: { type: Date },
  },
  { collection: 'comments', versionKey: false },
);
// A post's comments, newest first.
commentSchema.index({ postId: 1, _id: -1 }, { partialFilterExpression: { deletedAt: null } });
// All of a user's comments and all on a post, deleted ones as well: export and erasure.
commentSchema.index({ authorId: 1, deletedAt: 1 });
commentSchema.index({ postId: 1, deletedAt: 1 });

export type Post = InferSchemaType<typeof postSchema> & { _id: Types.ObjectId };
export type Reaction = InferSchemaType<typeof reactionSchema> & { _id: Types.ObjectId };
export type Comment = InferSchemaType<typeof commentSchema> & { _id: Types.ObjectId };

export const postCollections = [
  collectionOf('posts', postSchema),
  collectionOf('reactions', reactionSchema),
  collectionOf('comments', commentSchema),
];

/** The models of this module on this connection. */
export function postModels(connection: Connection) {
  return {
    posts: connection.model('Post', postSchema),
    reactions: connection.model('Reaction', reactionSchema),
    comments: connection.model('Comment', commentSchema),
  };
}
export type PostModels = ReturnType<typeof postModels>;
