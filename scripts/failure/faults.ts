import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../test/support/until.js';
import { type Random } from '../random.js';
import { type Cluster, type Place } from './cluster.js';
import { type Trouble } from './tcp-proxy.js';

/** How a fault was gone through: what can be said of it, in words. */
export type Fault = (cluster: Cluster, options: FaultOptions) => Promise<string>;

export interface FaultOptions {
  /** Longer than leases and claims hold, in milliseconds. */
  holdMs: number;
  random: Random;
}

const LEASE_LOST = 'consumer: another node took the lease';
const HISTORY_LOST = 'consumer: history is lost at the saved position; reading the collection';
const LEASE_MS = 30_000;
const SLOW_MS = 150;

/** Everything that is done to the product, by name. */
export const faults = {
  'kill api': (cluster, { random }) => kill(cluster, random.pick(cluster.of('api'))),
  'kill leader': async (cluster) => {
    const { taken, place } = await passesOn(cluster, (leader) => leader.node.kill());
    await cluster.startAgain(place);
    return `${place.name}, which led; another one led after ${seconds(taken)}`;
  },
  'kill worker': (cluster, { random }) => kill(cluster, random.pick(cluster.of('worker'))),
  'kill primary': async (cluster) => {
    await cluster.set.killPrimary();
    return 'the set has another one';
  },
  'pause primary': async (cluster, { holdMs }) => {
    const send = await cluster.set.signalPrimary('SIGSTOP');
    await pause(holdMs);
    send('SIGCONT');
    return `for ${seconds(holdMs)}`;
  },
  'pause api': async (cluster, { holdMs, random }) => {
    const place = random.pick(cluster.of('api'));
    await sleep(place, holdMs);
    return `${place.name} for ${seconds(holdMs)}`;
  },
  'pause leader': async (cluster, { holdMs }) => {
    const refused = cluster.said(LEASE_LOST);
    const { taken, place } = await passesOn(cluster, (leader) => {
      leader.node.signal('SIGSTOP');
      return Promise.resolve();
    });
    await pause(Math.max(0, holdMs - taken));
    place.node.signal('SIGCONT');
    await until(() => cluster.said(LEASE_LOST) > refused, Boolean, LEASE_MS);
    return `${place.name}; another one led after ${seconds(taken)}; as it woke up it was refused, and stepped down`;
  },
  'cut network': (cluster, options) => troubled(cluster, options, { kind: 'cut' }),
  'slow network': (cluster, options) => troubled(cluster, options, { kind: 'slow', ms: SLOW_MS }),
  'half-open network': (cluster, options) => troubled(cluster, options, { kind: 'silent' }),
  'lone primary': async (cluster, { holdMs }) => {
    await cluster.set.isolatePrimary({ kind: 'silent' });
    await pause(holdMs);
    cluster.set.heal();
    return `heard by nobody for ${seconds(holdMs)}`;
  },
  'lost history': async (cluster, { random }) => {
    const lost = cluster.said(HISTORY_LOST);
    const api = random.pick(cluster.of('api'));
    const workers = cluster.of('worker');
    await Promise.all(workers.map(({ node }) => node.kill()));
    api.node.signal('SIGSTOP');
    await cluster.set.forgetHistory();
    api.node.signal('SIGCONT');
    await Promise.all(workers.map((place) => cluster.startAgain(place)));
    await until(() => cluster.said(HISTORY_LOST) > lost, Boolean, LEASE_MS);
    return `while no worker ran and ${api.name} was paused; what was missed was read from the collection`;
  },
  'failing providers': (cluster) => {
    const { smtp, fcm } = cluster.edge;
    smtp.faults.next({ kind: 'accept-and-reset' }, 2);
    smtp.faults.next({ kind: 'status', status: 451 }, 2);
    fcm.faults.next({ kind: 'status', status: 503, retryAfter: 1 }, 2);
    fcm.faults.next({ kind: 'slow', ms: 2_000 }, 2);
    fcm.faults.next({ kind: 'accept-and-reset' }, 1);
    return Promise.resolve('mail and pushes were refused, cut off and late');
  },
  'restart nodes': async (cluster) => {
    for (const place of cluster.places) {
      const ended = await place.node.terminate();
      if (ended !== 0) throw new Error(`${place.name} ended with ${ended}`);
      await cluster.startAgain(place);
    }
    return `${cluster.places.length} of them, one by one, in good order`;
  },
  'restart database': async (cluster) => {
    await cluster.set.restartAll();
    return 'its members, one by one, in good order';
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const FAULT_NAMES = Object.keys(faults) as FaultName[];

async function kill(cluster: Cluster, place: Place): Promise<string> {
  await place.node.kill();
  await cluster.startAgain(place);
  return `${place.name}, with kill -9, and started again`;
}

async function sleep({ node }: Place, milliseconds: number): Promise<void> {
  node.signal('SIGSTOP');
  await pause(milliseconds);
  node.signal('SIGCONT');
}

/** Does something to the leader and waits until another worker leads; answers with how long that took. */
async function passesOn(
  cluster: Cluster,
  work: (leader: Place) => Promise<void>,
): Promise<{ place: Place; taken: number }> {
  const place = await cluster.leader();
  const epoch = await cluster.epoch();
  const begun = performance.now();
  await work(place);
  await until(
    () => cluster.epoch(),
    (now) => now > epoch,
    LEASE_MS,
  );
  return { place, taken: performance.now() - begun };
}

/** One API node and one worker are cut off from the whole set, each by its name. */
async function troubled(cluster: Cluster, { holdMs, random }: FaultOptions, trouble: Trouble): Promise<string> {
  const names = [random.pick(cluster.of('api')).name, (await cluster.leader()).name];
  cluster.set.begin(trouble, (client) => names.includes(client));
  await pause(holdMs);
  cluster.set.heal();
  return `between ${names.join(', ')} and the database for ${seconds(holdMs)}`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
