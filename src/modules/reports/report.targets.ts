import { type ObjectId } from 'mongodb';
import { type Infer } from '../../core/http/schema.js';
import { type Visibility } from '../../core/visibility.js';
import { type MessageEvidence } from '../chat/index.js';
import { type CommentService, type PostService } from '../posts/index.js';
import { type BlockService } from '../privacy/index.js';
import { type UserService } from '../users/index.js';
import { type ReportTarget } from './report.model.js';
import { type reportBody } from './report.schemas.js';

/** What is reported, and whose doing it is. */
export interface Found {
  target: ReportTarget;
  userId: ObjectId;
}

export interface TargetDeps {
  users: UserService;
  posts: Pick<PostService, 'find'>;
  comments: Pick<CommentService, 'locate'>;
  messages: Pick<MessageEvidence, 'witnessed' | 'of'>;
  visibility: Visibility;
  blocks: Pick<BlockService, 'hasBlocked'>;
}

export type FindTarget = (reporterId: string, body: Infer<typeof reportBody>) => Promise<Found | undefined>;

/** Finds what is reported: only what the reporter may know of. */
export function targetFinder({ users, posts, comments, messages, visibility, blocks }: TargetDeps): FindTarget {
  /** Who has blocked somebody knows of them, and may well report what came before the block. */
  const mayKnow = async (reporterId: string, userId: ObjectId): Promise<boolean> => {
    const otherId = userId.toHexString();
    return !(await visibility.areHidden(reporterId, otherId)) || (await blocks.hasBlocked(reporterId, otherId));
  };
  const look = async (
    reporterId: string,
    body: Infer<typeof reportBody>,
  ): Promise<(Found & { alsoBy?: ObjectId }) | undefined> => {
    if ('userId' in body) {
      const user = await users.find(body.userId);
      return user && { target: { kind: 'user', id: user._id }, userId: user._id };
    }
    if ('postId' in body) {
      const post = await posts.find(body.postId);
      return post && { target: { kind: 'post', id: post._id }, userId: post.authorId };
    }
    if ('messageId' in body) {
      const message = await messages.witnessed(reporterId, body.messageId);
      // Of what nobody says any more nobody can be reported.
      if (!message?.senderId) return undefined;
      const { _id: id, conversationId, senderId } = message;
      return { target: { kind: 'message', id, conversationId }, userId: senderId };
    }
    const found = await comments.locate(body.commentId);
    if (!found) return undefined;
    const { comment, post } = found;
    const target: ReportTarget = { kind: 'comment', id: comment._id, postId: post._id };
    return { target, userId: comment.authorId, alsoBy: post.authorId };
  };
  return async (reporterId, body) => {
    const found = await look(reporterId, body);
    if (!found) return undefined;
    const { target, userId, alsoBy = userId } = found;
    const known = await Promise.all([mayKnow(reporterId, userId), mayKnow(reporterId, alsoBy)]);
    return known.includes(false) ? undefined : { target, userId };
  };
}
