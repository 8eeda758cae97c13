import { type Database } from '../../../core/database/database.js';
import { type Listener } from '../../../core/events/listener.js';
import { deliveriesRecorded, notificationsCreated } from '../notification.events.js';
import {
  type CountedEvent,
  countedEventCollection,
  type DailyStatistics,
  dailyStatisticsCollection,
} from './statistics.model.js';
import { tally } from './tally.js';

/** Keeps the numbers of each day, so that nobody has to count notifications by the million. */
export function statisticsListener(database: Database): Listener {
  const statistics = database.collection<DailyStatistics>(dailyStatisticsCollection.name);
  const counted = database.collection<CountedEvent>(countedEventCollection.name);
  return {
    name: 'statistics',
    types: [notificationsCreated, deliveriesRecorded],
    async handle(events, session) {
      const ids = events.map(({ _id }) => _id);
      const known = await counted.find({ _id: { $in: ids } }, { session, projection: { _id: 1 } }).toArray();
      const isKnown = new Set(known.map(({ _id }) => _id.toHexString()));
      const fresh = events.filter(({ _id }) => !isKnown.has(_id.toHexString()));
      if (fresh.length === 0) return;
      await counted.insertMany(
        fresh.map(({ _id, at }) => ({ _id, at })),
        { session },
      );
      const additions = tally(fresh);
      if (additions.length === 0) return;
      await statistics.bulkWrite(
        additions.map(({ key, fields }) => ({
          updateOne: { filter: key, update: { $inc: fields as Record<string, never> }, upsert: true },
        })),
        { session, ordered: false },
      );
    },
  };
}
