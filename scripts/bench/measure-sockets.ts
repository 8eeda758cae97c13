import { setTimeout as pause } from 'node:timers/promises';
import { type Person } from '../../test/support/api.js';
import { progress, publish, SOCKETS } from './choices.js';
import { wallClock } from './pace.js';
import { Helper } from './processes.js';
import { percentile } from '../figures.js';
import { median, round } from './report.js';
import { type Told } from './sockets-clients.js';
import { type Stage } from './stage.js';

const PROCESSES = 2;
const BROADCASTS = 3;
const PATIENCE_MS = 30_000;
/** Memory is looked at when what opening sockets has left behind may be gone. */
const SETTLE_MS = 5_000;

/** A server with sockets. */
interface Served {
  url: string;
  memory: () => Promise<number>;
  /** Has everyone told of a change. */
  tell: (index: number) => Promise<unknown>;
}

interface Figures {
  perSecond: number;
  kBEach: number;
  /** Milliseconds from the cause until the first, the middle and the last client has heard of it. */
  first: number;
  p50: number;
  last: number;
  missing: number;
}

/** Very many sockets on one API node, beside as many on Socket.IO alone. */
export async function measureSockets(stage: Stage): Promise<void> {
  const people = await stage.register(SOCKETS.people);
  const [author] = people as [Person];
  const postId = await author.publish('Who is here?');
  const types = ['LIKE', 'LOVE', 'CELEBRATE'];
  const atrium = await measure('Atrium', people, postId, {
    url: stage.server().url,
    memory: () => stage.memoryBytes(),
    tell: (index) => author.post(`/posts/${postId}/react`, { type: types[index % types.length] }),
  });
  const helper = await Helper.start('./floor-sockets.ts', {});
  const { url } = await helper.ask<{ url: string }>({});
  const floor = await measure('Socket.IO alone', people, postId, {
    url,
    memory: async () => (await helper.ask<{ memory: number }>({})).memory,
    tell: (index) => helper.ask({ tell: { postId, reactionCounts: { LIKE: index }, commentCount: 0 } }),
  });
  await helper.stop();
  const overdue = atrium.missing + floor.missing;
  const of = (name: string) => `${name}, ${SOCKETS.count} sockets`;
  const one = (key: keyof Figures) => ({ atrium: { all: round(atrium[key]) }, raw: { all: round(floor[key]) } });
  const ratio = (key: keyof Figures) => round(atrium[key] / floor[key]);
  publish({
    measure: of('connected a second'),
    unit: '1/s',
    ...one('perSecond'),
    ratio: ratio('perSecond'),
    overdue: 0,
  });
  publish({ measure: of('memory of each'), unit: 'kB', ...one('kBEach'), ratio: ratio('kBEach'), overdue: 0 });
  const times = ({ first, p50, last }: Figures) => ({ first: round(first), p50: round(p50), last: round(last) });
  publish({
    measure: of('told to all at once'),
    unit: 'ms',
    ...{ atrium: times(atrium), raw: times(floor), overdue },
    ratio: round((atrium.last - atrium.first) / (floor.last - floor.first)),
  });
}

async function measure(name: string, people: Person[], postId: string, served: Served): Promise<Figures> {
  progress(`sockets: ${SOCKETS.count} on ${name}`);
  const before = await served.memory();
  const clients = await Promise.all(Array.from({ length: PROCESSES }, () => Helper.start('./sockets-clients.ts', {})));
  const ask = <T>(told: Told): Promise<T[]> => Promise.all(clients.map((each) => each.ask<T>(told)));
  const tokens = people.map(({ token }) => token);
  const count = SOCKETS.count / PROCESSES;
  const took = await ask<number>({ connect: { url: served.url, tokens, count, postId } });
  await pause(SETTLE_MS);
  const after = await served.memory();
  const told: Record<'first' | 'p50' | 'last', number>[] = [];
  let missing = 0;
  for (let index = 0; index < BROADCASTS; index += 1) {
    const begun = wallClock();
    const [, heard] = await Promise.all([served.tell(index), ask<number[]>({ hear: PATIENCE_MS })]);
    const since = heard.flat().map((at) => at - begun);
    missing += SOCKETS.count - since.length;
    told.push({ first: Math.min(...since), p50: percentile(since, 0.5), last: Math.max(...since) });
  }
  await Promise.all(clients.map((each) => each.stop()));
  const middle = (key: 'first' | 'p50' | 'last') => median(told.map((each) => each[key]));
  return {
    perSecond: SOCKETS.count / (Math.max(...took) / 1_000),
    kBEach: (after - before) / 1_024 / SOCKETS.count,
    ...{ first: middle('first'), p50: middle('p50'), last: middle('last'), missing },
  };
}
