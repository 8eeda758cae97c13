import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type Audience, type Locale } from '../../users/index.js';
import { type Channel, type OutsideChannel } from '../notification.types.js';

export const ANNOUNCEMENT_STATUSES = ['scheduled', 'sending', 'sent', 'cancelled', 'expired'] as const;
export type AnnouncementStatus = (typeof ANNOUNCEMENT_STATUSES)[number];

/** The same in one language or both; who reads the other one gets what there is. */
export type Texts = Partial<Record<Locale, string>>;

/** What is told to many at once, and how far that has come. */
export interface Announcement {
  _id: ObjectId;
  /** The admin or the API key. */
  createdBy: ObjectId;
  title: Texts;
  body: Texts;
  /** As it was asked for. */
  audience: Audience;
  channels: Channel[];
  status: AnnouncementStatus;
  sendAt: Date;
  /** From then on nothing of it is sent. */
  expiresAt?: Date;
  createdAt: Date;
  /** Who joins later does not get it. */
  startedAt?: Date;
  /** When everybody had it, or it was cancelled or had expired. */
  endedAt?: Date;
  /** When there is something to do again. Absent when all is done. */
  nextAttemptAt?: Date;
  /** The last user who was looked at. */
  after?: ObjectId;
  /** Of its notifications the last one whose deliveries were stopped. */
  stoppedUpTo?: ObjectId;
  /** How many users it is meant for, counted when it began. */
  total: number;
  /** How many of them were looked at. */
  processed: number;
  /** How many notifications were written: who has switched off all its channels gets none. */
  created: number;
  /** How many of these go out on each channel; those skipped there are left out. */
  reached: Partial<Record<Channel, number>>;
  /** How many deliveries were cancelled with it. */
  stopped: Partial<Record<OutsideChannel, number>>;
}

export const announcementCollection: CollectionDefinition = {
  name: 'announcements',
  indexes: [
    // What there is something to do for, the longest due first.
    { key: { nextAttemptAt: 1 }, options: { partialFilterExpression: { nextAttemptAt: { $exists: true } } } },
    // GET /admin/announcements?status=, newest first; without a status the order of ids does.
    { key: { status: 1, _id: -1 } },
  ],
};
