import { ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Listener } from '../../../core/events/listener.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { subjectKey } from '../mute.service.js';
import { notificationsEnding } from '../notification.events.js';
import { endingEvents, goneWith } from '../triggers.js';
import { type Ending, endingCollection } from './ending.model.js';

/**
 * Takes note of what is gone. There may be thousands of notifications about it: they are withdrawn by a worker, beside
 * the reactor. It comes after whatever was told of it, since that happened before.
 */
export function endingListener({
  database,
  outbox,
  clock,
}: {
  database: Database;
  outbox: Outbox;
  clock: Clock;
}): Listener {
  const endings = database.collection<Ending>(endingCollection.name);
  return {
    name: 'notifications of what is gone',
    types: endingEvents,
    async handle(events, session) {
      for (const event of events) {
        const gone = goneWith(event);
        if (!gone) continue;
        const { kind, id, userId } = gone;
        const about = subjectKey({ kind, id });
        const { traceparent } = event;
        // Handled again it withdraws again what is withdrawn already: nothing.
        await endings.updateOne(
          { _id: event._id },
          {
            $setOnInsert: {
              ...{ about, nextAttemptAt: clock.now() },
              ...(userId !== undefined && { userId: new ObjectId(userId) }),
              ...(traceparent !== undefined && { traceparent }),
            },
          },
          { upsert: true, session },
        );
        await outbox.record(session, notificationsEnding, { entity: { kind, id }, data: { about } });
      }
    },
  };
}
