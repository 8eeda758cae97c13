import { type ObjectId } from 'mongodb';
import { DAY, SECOND } from '../../../core/clock.js';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type Channel, type DeliveryStatus, type InAppStatus, type NotificationType } from '../notification.types.js';

/** The statuses on any channel. */
export type AnyStatus = DeliveryStatus | InAppStatus;

/** How many notifications of a day are in which state on a channel. */
export interface DailyStatistics {
  _id: ObjectId;
  /** The UTC day on which they were created, as `2026-11-21`. */
  day: string;
  type: NotificationType;
  channel: Channel;
  counts: Partial<Record<AnyStatus, number>>;
  /** From creation to sent: how many by bucket, as `b7`. */
  latency?: Partial<Record<string, number>>;
}

export const dailyStatisticsCollection: CollectionDefinition = {
  name: 'notificationStatistics',
  indexes: [
    // One of each; GET /notifications/stats reads those of some days.
    { key: { day: 1, type: 1, channel: 1 }, options: { unique: true } },
  ],
};

/** An event that is in the numbers: it is not counted again when it is handled again. Looked for by `_id`. */
export interface CountedEvent {
  _id: ObjectId;
  at: Date;
}

export const countedEventCollection: CollectionDefinition = {
  name: 'countedEvents',
  // A day longer than events are kept.
  indexes: [{ key: { at: 1 }, options: { expireAfterSeconds: (8 * DAY) / SECOND } }],
};
