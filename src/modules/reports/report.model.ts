import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

export const REPORT_CATEGORIES = [
  'SPAM',
  'HARASSMENT',
  'MISINFORMATION',
  'HATE_SPEECH',
  'IMPERSONATION',
  'OTHER',
] as const;
export type ReportCategory = (typeof REPORT_CATEGORIES)[number];

export const REPORT_STATUSES = ['open', 'resolved', 'dismissed'] as const;
export type ReportStatus = (typeof REPORT_STATUSES)[number];
/** What can become of a report. */
export const REPORT_OUTCOMES = ['resolved', 'dismissed'] as const;
export type ReportOutcome = (typeof REPORT_OUTCOMES)[number];

export const REPORTED_KINDS = ['user', 'post', 'comment', 'message'] as const;
export type ReportedKind = (typeof REPORTED_KINDS)[number];

/** What a report is about. */
export interface ReportTarget {
  kind: ReportedKind;
  id: ObjectId;
  /** Where a comment stands. */
  postId?: ObjectId;
  /** Where a message was said. */
  conversationId?: ObjectId;
}

/** Somebody thinks that something should not be here. */
export interface Report {
  _id: ObjectId;
  reporterId: ObjectId;
  target: ReportTarget;
  /** The one whose doing it is. */
  userId: ObjectId;
  category: ReportCategory;
  details?: string;
  status: ReportStatus;
  createdAt: Date;
  handledBy?: ObjectId;
  handledAt?: Date;
}

export const reportCollection: CollectionDefinition = {
  name: 'reports',
  indexes: [
    // One open report per reporter and target, whatever is sent at once.
    {
      key: { reporterId: 1, 'target.kind': 1, 'target.id': 1 },
      options: { unique: true, partialFilterExpression: { status: 'open' } },
    },
    // The moderators' list by status, newest first.
    { key: { status: 1, _id: -1 } },
  ],
};
