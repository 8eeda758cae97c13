import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type Stage } from '../../bench/stage.js';
import { Api, type Person } from '../../../test/support/api.js';
import { openApp } from './campus.js';
import { type CountingProxy } from './counting-proxy.js';

/** What an open app that does nothing costs its node in a minute. */
export interface IdleCosts {
  sockets: number;
  nodeMsPerMinute: number;
  outPerMinute: number;
  inPerMinute: number;
}

const APPS = 600;
const AT_ONCE = 20;
const IDLE_MS = 40_000;

/** Apps that are open and say nothing, but for the answers to pings. */
export async function measureIdle(
  stage: Stage,
  url: string,
  proxy: CountingProxy,
  people: readonly Person[],
): Promise<IdleCosts> {
  const node = new Api(url);
  const reading = async (): Promise<[number, number, number]> => [await stage.cpuMs(node), proxy.out, proxy.in];
  const without = await over(reading);
  const limit = pLimit(AT_ONCE);
  const apps = await Promise.all(
    Array.from({ length: APPS }, (_, index) => limit(() => openApp(anyOf(people, index)))),
  );
  await pause(IDLE_MS / 6);
  const having = await over(reading);
  for (const app of apps) app.close();
  const each = (at: number): number => ((having[at] ?? 0) - (without[at] ?? 0)) / APPS / (IDLE_MS / 60_000);
  return { sockets: APPS, nodeMsPerMinute: each(0), outPerMinute: each(1), inPerMinute: each(2) };
}

function anyOf(people: readonly Person[], index: number): Person {
  const found = people[index % people.length];
  if (!found) throw new Error('there is nobody');
  return found;
}

async function over(reading: () => Promise<number[]>): Promise<number[]> {
  const before = await reading();
  await pause(IDLE_MS);
  const after = await reading();
  return after.map((value, at) => value - (before[at] ?? 0));
}
