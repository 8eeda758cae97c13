import { type ClientSession } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type DeadLetter, deadLetterCollection } from './dead-letter.model.js';

/** A delivery that is dead now. */
export interface Dead {
  notification: Pick<Notification, '_id' | 'userId' | 'type'>;
  delivery: Delivery;
  /** In the provider's words. */
  detail?: string;
}

/** Of a provider's words. */
const LONGEST_DETAIL = 500;

/** Sets what was given up aside where admins see it, in the transaction in which it is. */
export async function bury({
  database,
  session,
  channel,
  dead,
  at,
}: {
  database: Database;
  session: ClientSession;
  channel: OutsideChannel;
  dead: readonly Dead[];
  at: Date;
}): Promise<void> {
  if (dead.length === 0) return;
  await database.collection<DeadLetter>(deadLetterCollection.name).bulkWrite(
    dead.map(({ notification: { _id: notificationId, userId, type }, delivery: { error, attempts }, detail }) => ({
      updateOne: {
        filter: { notificationId, channel },
        update: {
          $set: {
            userId,
            type,
            error: error ?? 'UNKNOWN',
            ...(detail !== undefined && { detail: detail.slice(0, LONGEST_DETAIL) }),
            attempts,
            diedAt: at,
          },
        },
        upsert: true,
      },
    })),
    { session, ordered: false },
  );
}
