import { ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { isEvent } from '../../../core/events/event.js';
import { type Listener } from '../../../core/events/listener.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { userPlaced } from '../../users/index.js';
import { placementNoted } from '../notification.events.js';
import { type Placement, placementCollection } from './placement.model.js';

/**
 * Takes note of who has found a position. Thousands may have to be told: a worker does that, beside the reactor. What
 * has not gone out of a user's former news by then does not go out.
 */
export function placementListener({
  database,
  outbox,
  clock,
}: {
  database: Database;
  outbox: Outbox;
  clock: Clock;
}): Listener {
  const placements = database.collection<Placement>(placementCollection.name);
  return {
    name: 'news of placements',
    types: [userPlaced],
    async handle(events, session) {
      for (const event of events) {
        if (!isEvent(event, userPlaced)) continue;
        const { _id, at, data, traceparent } = event;
        const { placement, campus, graduationYear } = data;
        const userId = new ObjectId(data.userId);
        const hasCohort = campus !== undefined && graduationYear !== undefined;
        await placements.deleteMany({ userId, at: { $lt: at } }, { session });
        // Handled again it is gone through again, and nobody is told twice.
        await placements.updateOne(
          { _id },
          {
            $setOnInsert: {
              ...{ userId, placement, at, circle: 'connections', nextAttemptAt: clock.now() },
              ...(hasCohort && { cohort: { campus, graduationYear } }),
              ...(traceparent !== undefined && { traceparent }),
            },
          },
          { upsert: true, session },
        );
        await outbox.record(session, placementNoted, {
          entity: { kind: 'user', id: data.userId },
          data: { userId: data.userId },
        });
      }
    },
  };
}
