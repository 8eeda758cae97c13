import { setTimeout as pause } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { type Stage } from '../../bench/stage.js';
import { Api } from '../../../test/support/api.js';
import { type Campus } from './campus.js';

/** What one worker that has a backlog before it gets through. */
export interface ReactorCosts {
  events: number;
  /** Events of reactions that it handles in a second, notifications written. */
  eventsPerSecond: number;
  /** Milliseconds of its processor for each, the sending of what follows included. */
  workerMsEach: number;
  databaseCoresMeanwhile: number;
}

const EVENTS = 1_200;
const AT_ONCE = 8;
/** Before every id. */
const NOTHING = ObjectId.createFromTime(0);
const PATIENCE_MS = 180_000;

/** Lets reactions pile up while no worker runs, and watches how fast one handles them. */
export async function measureReactor(
  stage: Stage,
  { residents }: Campus,
  databaseMs: () => Promise<number>,
): Promise<ReactorCosts> {
  await stage.stopWorker();
  const limit = pLimit(AT_ONCE);
  const count = residents.length;
  await Promise.all(
    Array.from({ length: EVENTS }, (_, index) =>
      limit(async () => {
        const { person } = residents[index % count] ?? {};
        const author = residents[(index + 1 + Math.floor(index / count)) % count];
        const postId = author?.postIds[19 - (Math.floor(index / count / (count - 1)) % 20)] ?? '';
        await person?.post(`/posts/${postId}/react`, { type: 'FUNNY' });
      }),
    ),
  );
  const consumers = stage.db.collection<{ _id: string; lastEventId?: ObjectId }>('consumers');
  const position = async (): Promise<ObjectId> => (await consumers.findOne({ _id: 'reactor' }))?.lastEventId ?? NOTHING;
  const events = stage.db.collection('events');
  const after = (id: ObjectId): Promise<number> => events.countDocuments({ type: 'post.reacted', _id: { $gt: id } });
  const first = await position();
  await stage.startWorker({});
  const worker = new Api(stage.workerUrls()[0] ?? '');
  const until = async (isSo: (reached: ObjectId) => boolean | Promise<boolean>): Promise<ObjectId> => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const reached = await position();
      if (await isSo(reached)) return reached;
      if (performance.now() > deadline) throw new Error('the reactor did not get through');
      await pause(20);
    }
  };
  // What it does to begin is no part of it.
  const reached = await until((id) => !id.equals(first));
  const begun = { at: performance.now(), cpu: await stage.cpuMs(worker), database: await databaseMs() };
  const left = await after(reached);
  // Ids are not in the order of commits: a few of those written at the same time may seem to come after the last one.
  await until(async (id) => (await after(id)) < AT_ONCE);
  const tookMs = performance.now() - begun.at;
  return {
    events: left,
    eventsPerSecond: (left / tookMs) * 1_000,
    workerMsEach: ((await stage.cpuMs(worker)) - begun.cpu) / left,
    databaseCoresMeanwhile: ((await databaseMs()) - begun.database) / tookMs,
  };
}
