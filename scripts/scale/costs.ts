import { type Measured } from './measured.js';

/** What one time of an action takes, taken apart so that the number of readers can be chosen; milliseconds and bytes. */
export interface UnitCost {
  nodeMs: number;
  workerMs: number;
  /** Of the database, without the streams that were open. */
  databaseMs: number;
  /** Round trips to the database. */
  trips: number;
  reads: number;
  writes: number;
  commits: number;
  /** Documents inserted, changed and deleted. */
  documents: number;
  /** Events and messages, which every reader of the feed is brought. */
  events: number;
  messages: number;
  eventBytes: number;
  /** What else every stream passes over. */
  passed: number;
  /** What nodes tell each other in passing. */
  relayed: number;
  relayedBytes: number;
  oplogBytes: number;
  clientOut: number;
  clientIn: number;
  /** Documents that are inserted, and their bytes, by collection. */
  inserted: Record<string, number>;
  insertedBytes: Record<string, number>;
}

/** While it was measured two API processes and a worker read the feed, and the two what nodes tell each other. */
const FEEDS = 3;
const ADAPTERS = 2;
/** Less than this was counted only because it happened at that time. */
const NOISE = 0.02;

export function costOf(measured: Measured, action: string): UnitCost {
  const found = measured.costs[action];
  if (!found) throw new Error(`nothing was measured of ${action}`);
  const of = (name: string): number => Math.max(0, found.each[name] ?? 0);
  const counted = (kind: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(found.each).flatMap(([name, value]) =>
        name.startsWith(`${kind} `) && value > NOISE ? [[name.slice(kind.length + 1), value]] : [],
      ),
    );
  const inserted = counted('inserted');
  const all = [inserted, counted('updated'), counted('deleted')].flatMap((each) => Object.values(each));
  const [events, messages] = [inserted['events'] ?? 0, inserted['messages'] ?? 0];
  const relayed = inserted['socketAdapter'] ?? 0;
  const cost = {
    ...{ nodeMs: of('nodeMs'), workerMs: of('workerMs'), trips: of('reads') + of('writes') + of('commits') },
    ...{ reads: of('reads'), writes: of('writes'), commits: of('commits') },
    ...{
      documents: all.reduce((sum, each) => sum + each, 0),
      events,
      messages,
      relayed,
      inserted,
      insertedBytes: counted('bytes'),
    },
    eventBytes: of('bytes events') + of('bytes messages'),
    relayedBytes: relayed > 0 ? of('bytes socketAdapter') : 0,
    passed: Math.max(0, of('oplogEntries') - events - messages),
    ...{ oplogBytes: of('oplogBytes'), clientOut: of('clientOut'), clientIn: of('clientIn') },
  };
  const streams = FEEDS * feedScanMs(measured, cost) + ADAPTERS * adapterScanMs(measured, cost);
  return { ...cost, databaseMs: Math.max(0, of('databaseMs') - streams) };
}

type Passing = Pick<UnitCost, 'events' | 'messages' | 'passed' | 'relayed'>;

/** What one more reader of everything in the feed costs the database. */
export function feedScanMs({ streams }: Measured, { events, messages, passed }: Passing): number {
  return ((events + messages) * streams.brought + passed * streams.otherCollection) / 1_000;
}

/** What one more reader of what nodes tell each other costs it. */
export function adapterScanMs({ streams }: Measured, { events, messages, passed, relayed }: Passing): number {
  const others = Math.max(0, events + messages + passed - relayed);
  return (relayed * streams.brought + others * streams.otherCollection) / 1_000;
}
