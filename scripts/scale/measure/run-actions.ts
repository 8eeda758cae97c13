import { setTimeout as pause } from 'node:timers/promises';
import { type Db } from 'mongodb';
import pLimit from 'p-limit';
import { type Stage } from '../../bench/stage.js';
import { Api } from '../../../test/support/api.js';
import { type Action } from './actions.js';
import { type CountingProxy } from './counting-proxy.js';
import { databaseReading, difference, now, Oplog, type Reading } from './readings.js';
import { processorMs } from '../../bench/processes.js';

/** What one time of an action takes, by the names of readings. */
export interface ActionCost {
  times: number;
  each: Reading;
}

export interface Ground {
  stage: Stage;
  /** The node that everybody is connected to. */
  node: { url: string };
  proxy: CountingProxy;
}

const AT_ONCE = 4;
const WARM_UP = 12;
/** The least time for what follows on an action. */
const SETTLE_MS = 8_000;
/** So long nothing is done to learn what goes on anyway. */
const IDLE_MS = 40_000;

/** Does each action so many times, and counts; what goes on anyway is counted first and subtracted. */
export async function measureActions(
  ground: Ground,
  actions: Action[],
  progress: (text: string) => void,
): Promise<{ idlePerSecond: Reading; costs: Record<string, ActionCost> }> {
  const limit = pLimit(AT_ONCE);
  const costs: Record<string, ActionCost> = {};
  let idlePerSecond: Reading = {};
  for (const action of actions) {
    const { settleMs = SETTLE_MS } = action;
    progress(`${action.name}, ${action.times} times`);
    const run = (from: number, times: number): Promise<unknown> =>
      Promise.all(Array.from({ length: times }, (_, index) => limit(() => action.run(from + index))));
    if (action.times > 0) {
      await run(0, WARM_UP);
      await pause(settleMs);
    }
    const begun = performance.now();
    const from = await now(ground.stage.db);
    const before = await reading(ground);
    await run(WARM_UP, action.times);
    await pause(action.times > 0 ? settleMs : IDLE_MS);
    const after = difference(await reading(ground), before);
    const written = await writtenSince(ground.stage.db, from);
    const seconds = (performance.now() - begun) / 1_000;
    const all: Reading = { ...after, ...written };
    if (action.times === 0) {
      idlePerSecond = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value / seconds]));
      continue;
    }
    const each = Object.entries(all).map(([name, value]) => [
      name,
      (value - (idlePerSecond[name] ?? 0) * seconds) / action.times,
    ]);
    costs[action.name] = { times: action.times, each: Object.fromEntries(each) as Reading };
  }
  return { idlePerSecond, costs };
}

async function writtenSince(db: Db, from: Awaited<ReturnType<typeof now>>): Promise<Reading> {
  return (await Oplog.between(db, from, await now(db))).reading();
}

async function reading({ stage, node, proxy }: Ground): Promise<Reading> {
  const [worker] = stage.workerUrls();
  if (worker === undefined) throw new Error('there is no worker');
  const [nodeMs, bystanderMs, workerMs, databaseMs, database] = await Promise.all([
    stage.cpuMs(new Api(node.url)),
    stage.cpuMs(),
    stage.cpuMs(new Api(worker)),
    processorMs(stage.databasePids),
    databaseReading(stage.db),
  ]);
  return { nodeMs, bystanderMs, workerMs, databaseMs, clientOut: proxy.out, clientIn: proxy.in, ...database };
}
