import { type Collection } from 'mongodb';
import pLimit from 'p-limit';
import { SECOND } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { paceCollection } from './pace-collection.js';

interface Bucket {
  _id: string;
  tokens: number;
  granted: number;
  at: Date;
}

/** What limits how fast a provider is sent to. */
export interface Pace {
  /** Waits for leave to send some, at least one and at most `count`; 0 once it is to hurry. */
  take(count: number): Promise<number>;
  /** Nobody waits any more. */
  hurry(): void;
}

/** As fast as the provider takes it. */
export const unpaced: Pace = { take: (count) => Promise.resolve(count), hurry: () => undefined };

/**
 * So many a second, by all workers together: a token bucket that holds one second's worth. The database's clock fills
 * it, since those of the workers differ. Losing a count in a failover is no harm, so it is written with `w: 1`.
 */
export function tokenBucket(database: Database, name: string, perSecond: number): Pace {
  const buckets: Collection<Bucket> = database.db.collection(paceCollection.name, { writeConcern: { w: 1 } });
  // One at a time asks for this process: the others would only ask in vain.
  const inTurn = pLimit(1);
  let hurrying = false;
  let stopWaiting = (): void => undefined;
  const hurried = new Promise<void>((resolve) => (stopWaiting = resolve));

  async function waitAndTake(count: number): Promise<number> {
    while (!hurrying) {
      const { granted, tokens } = await refillAndTake(count);
      if (granted > 0) return granted;
      await pauseUnless(hurried, ((1 - tokens) / perSecond) * SECOND);
    }
    return 0;
  }

  /** One conditional update: two workers never get the same token. */
  async function refillAndTake(count: number): Promise<Bucket> {
    const elapsed = { $max: [0, { $subtract: ['$$NOW', { $ifNull: ['$at', '$$NOW'] }] }] };
    const refilled = {
      $add: [{ $ifNull: ['$tokens', perSecond] }, { $multiply: [elapsed, perSecond / SECOND] }],
    };
    const bucket = await buckets.findOneAndUpdate(
      { _id: name },
      [
        { $set: { tokens: { $min: [perSecond, refilled] }, at: '$$NOW' } },
        { $set: { granted: { $min: [count, { $floor: '$tokens' }] } } },
        { $set: { tokens: { $subtract: ['$tokens', '$granted'] } } },
      ],
      { upsert: true, returnDocument: 'after' },
    );
    return bucket ?? { _id: name, tokens: 0, granted: 0, at: new Date() };
  }

  return {
    take: (count) => inTurn(() => waitAndTake(count)),
    hurry() {
      hurrying = true;
      stopWaiting();
    },
  };
}

async function pauseUnless(over: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.ceil(milliseconds))));
  await Promise.race([passed, over]);
  clearTimeout(timer);
}
