import { type ClientSession, type Collection } from 'mongodb';
import { type Outcome } from '../delivery/outcome.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type DeadLetter } from './dead-letter.model.js';

/** What became of an attempt to deliver a notification. */
export interface EndedDelivery {
  notification: Pick<Notification, '_id' | 'userId' | 'type'>;
  outcome: Outcome;
  next: Delivery;
}

/** Of a provider's words. */
const LONGEST_DETAIL = 500;

/** Sets aside what was given up, where admins see it, within the transaction that gives it up. */
export async function bury(
  deadLetters: Collection<DeadLetter>,
  session: ClientSession,
  channel: OutsideChannel,
  ended: readonly EndedDelivery[],
  now: Date,
): Promise<void> {
  const dead = ended.filter(({ next }) => next.status === 'dead');
  if (dead.length === 0) return;
  await deadLetters.bulkWrite(
    dead.map(({ notification: { _id: notificationId, userId, type }, outcome, next }) => ({
      updateOne: {
        filter: { notificationId, channel },
        update: {
          $set: {
            userId,
            type,
            error: next.error ?? 'UNKNOWN',
            ...('detail' in outcome && { detail: outcome.detail.slice(0, LONGEST_DETAIL) }),
            attempts: next.attempts,
            diedAt: now,
          },
        },
        upsert: true,
      },
    })),
    { session, ordered: false },
  );
}
