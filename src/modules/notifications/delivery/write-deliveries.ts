import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Delivery } from '../delivery.model.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';

export interface WriteContext {
  notifications: Collection<Notification>;
  session: ClientSession;
  channel: OutsideChannel;
  toldAt: Date;
}

/** Writes how deliveries stand now: those of one call stand alike as a rule, and are written together. */
export async function writeDeliveries(
  { notifications, session, channel, toldAt }: WriteContext,
  ended: readonly { _id: ObjectId; delivery: Delivery }[],
): Promise<void> {
  const alike = new Map<string, { delivery: Delivery; ids: ObjectId[] }>();
  for (const { _id, delivery } of ended) {
    const key = JSON.stringify(delivery);
    const group = alike.get(key);
    if (group) group.ids.push(_id);
    else alike.set(key, { delivery, ids: [_id] });
  }
  await notifications.bulkWrite(
    [...alike.values()].map(({ delivery, ids }) => ({
      updateMany: { filter: { _id: { $in: ids } }, update: { $set: { [`channels.${channel}`]: delivery, toldAt } } },
    })),
    { session, ordered: false },
  );
}
