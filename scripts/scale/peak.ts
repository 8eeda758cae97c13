import { Random } from '../random.js';
import { percentile } from '../figures.js';
import { type Measured } from './measured.js';
import { ASSUMED, type Demand, type Flow, handledEvents, reactorMs, totalOf } from './model.js';
import { Station, Timeline } from './queueing.js';

/** What a minute of the peak is like for those who are in it. */
export interface Peak {
  /** Milliseconds within which 95 of 100 are answered, and heard of on another node. */
  answerP95: number;
  heardP95: number;
  utilisation: { node: number; primary: number; reactor: number };
  p95: { node: number; primary: number; reactor: number };
}

const WARM_UP_MS = 500;
/** Of many nodes so many are looked at; the others load the primary as much. */
const LOOKED_AT = 8;
const COUNTED_MS = 5_000;
/** Of a batch of the reactor, whatever is in it: what the tour in the README shows between answer and notification. */
const BATCH_MS = 15;
const BATCH_SIZE = 100;
/** Work of all streams upon a commit is spread over so many pieces at most. */
const PIECES = 8;

/**
 * Simulates some of the nodes, one primary of the shards, and one reactor. Actions come at random; each step takes its
 * measured time on the average, as often shorter and longer as an exponential distribution has it.
 */
export function simulatePeak(measured: Measured, demand: Demand, seed: number): Peak {
  const random = new Random(seed);
  const timeline = new Timeline();
  const { design, nodes } = demand;
  const end = WARM_UP_MS + COUNTED_MS;
  const station = (servers: number, batch?: { most: number; fixedMs: number }): Station =>
    new Station(timeline, { servers, countFrom: WARM_UP_MS, ...(batch && { batch }) });
  const some = Array.from({ length: Math.min(LOOKED_AT, nodes) }, () => station(1));
  const primary = station(ASSUMED.databaseCores);
  const reactor = station(1, { most: BATCH_SIZE, fixedMs: BATCH_MS });
  const handleMs = Math.max(0.05, reactorMs(measured) - BATCH_MS / BATCH_SIZE);
  const work = totalOf({ work: demand.primary.work, lookUps: demand.primary.lookUps });
  const answered: number[] = [];
  const heard: number[] = [];

  const perSecond = demand.flows.reduce((sum, flow) => sum + flow.perSecond, 0);
  const weights = Object.fromEntries(demand.flows.map((flow, index) => [index, flow.perSecond]));
  const eventsPerSecond = demand.flows.reduce(
    (sum, { perSecond: each, cost }) => sum + each * (cost.events + cost.messages),
    0,
  );
  // The work of the primary, spread over the actions by what each takes of it.
  const allDatabaseMs = demand.flows.reduce((sum, { perSecond: each, cost }) => sum + each * cost.databaseMs, 0);
  const databaseMs = (flow: Flow): number => (flow.cost.databaseMs / allDatabaseMs) * work * design.shards * 1_000;
  const streamMs = eventsPerSecond > 0 ? (demand.primary.streams * 1_000 * design.shards) / eventsPerSecond : 0;
  const hearMs = eventsPerSecond > 0 ? ((demand.node.hears + demand.node.lookUps) * 1_000) / eventsPerSecond : 0;

  const toPrimary = (flow: Flow, done: () => void): void => {
    const trips = Math.max(1, Math.round(flow.cost.trips));
    const next = (left: number): void => {
      if (left === 0) done();
      else primary.serve(random.until(databaseMs(flow) / trips), () => next(left - 1));
    };
    next(trips);
  };
  const spread = (flow: Flow, begun: number): void => {
    const events = flow.cost.events + flow.cost.messages;
    if (random.isSo(events - Math.floor(events) || 1)) {
      for (let piece = 0; piece < PIECES; piece += 1) {
        primary.serve(random.until(streamMs / PIECES), () => {
          if (piece < PIECES - 1) return;
          // The other shards bring as many.
          for (let shard = 0; shard < design.shards; shard += 1) {
            for (const node of some) {
              node.serve(random.until(hearMs), () => {
                if (begun >= WARM_UP_MS) heard.push(timeline.now - begun);
              });
            }
          }
        });
      }
    }
    const handled = (handledEvents(flow) * design.shards) / design.reactors;
    const times = Math.floor(handled) + Number(random.isSo(handled % 1));
    for (let time = 0; time < times; time += 1) reactor.serve(random.until(handleMs));
  };
  const act = (): void => {
    timeline.after(random.until(1_000 / (perSecond / design.shards)), act);
    const flow = demand.flows[Number(random.weighted(weights))];
    if (!flow) return;
    const begun = timeline.now;
    const isHere = random.isSo((design.shards * some.length) / nodes);
    const ended = (): void => {
      if (isHere && begun >= WARM_UP_MS) answered.push(timeline.now - begun);
      if (flow.cost.events + flow.cost.messages > 0) spread(flow, begun);
    };
    if (isHere) random.pick(some).serve(random.until(flow.cost.nodeMs), () => toPrimary(flow, ended));
    else toPrimary(flow, ended);
  };
  timeline.after(0, act);
  timeline.runUntil(end);
  return {
    answerP95: percentile(answered, 0.95),
    heardP95: percentile(heard, 0.95),
    utilisation: {
      node: some.reduce((sum, { utilisation }) => sum + utilisation, 0) / some.length,
      primary: primary.utilisation,
      reactor: reactor.utilisation,
    },
    p95: {
      node: percentile(
        some.flatMap(({ took }) => took),
        0.95,
      ),
      primary: percentile(primary.took, 0.95),
      reactor: percentile(reactor.took, 0.95),
    },
  };
}
