import { adapterScanMs, costOf, feedScanMs, type UnitCost } from './costs.js';
import { type Design, RELAYS, TOPICS } from './designs.js';
import { type Measured } from './measured.js';
import { atPeak, type Habit, type Profile } from './profile.js';

/** What is taken for granted of the machines; none of it was measured. */
export const ASSUMED = {
  /** A mongod of its own system on a server is so many times as fast as the one under Wine that was measured. */
  databaseSpeed: 2,
  /** Cores of each member of a replica set. */
  databaseCores: 16,
  /** A node is full at this share of its one core: beyond it, what waits grows fast. */
  nodeShare: 0.6,
  databaseShare: 0.6,
  /** Ten thousand were measured on one node; a restart of one must not overfill the others. */
  appsPerNode: 5_000,
  /** Messages of one exchange: its first one has a node look the members up, the others find them remembered. */
  exchange: 4,
  /** What a transaction over several shards takes, as a multiple of one on one. */
  acrossShards: 2,
} as const;

/** Clients of a conversation or an author: on so many nodes at most somebody waits for it. */
const HEARERS: Readonly<Record<string, number>> = { directMessage: 2, groupMessage: 10 };
/** Actions whose reads may be a moment behind. */
export const MAY_BE_STALE: ReadonlySet<string> = new Set(['postsPage', 'commentsPage']);
const IN_CONVERSATIONS = ['directMessage', 'groupMessage', 'messageToAbsent'];
const MOST_NODES = 5_000;

/** An action at the rate of the busiest minute. */
export interface Flow {
  habit: Habit;
  perSecond: number;
  cost: UnitCost;
  hearers: number;
}

/** What an installation takes in the busiest minute. */
export interface Demand {
  design: Design;
  flows: readonly Flow[];
  nodes: number;
  /** Shares of a node's core: answering, keeping apps, hearing of what others did, looking members up. */
  node: { answers: number; apps: number; hears: number; lookUps: number };
  /** Cores of each primary: for what people do, streams, and members that nodes look up. */
  primary: { work: number; streams: number; lookUps: number };
  /** Cores of the secondaries together, beside applying what the primary writes. */
  secondaries: number;
  reactorShare: number;
  workerCores: number;
  lookUpsPerSecond: number;
}

export function flowsOf(measured: Measured, profile: Profile): Flow[] {
  return profile.habits.map((habit) => ({
    habit,
    perSecond: atPeak(profile, habit),
    cost: costOf(measured, habit.action),
    hearers: HEARERS[habit.action] ?? 1,
  }));
}

export const sumOf = (flows: readonly Flow[], of: (flow: Flow) => number): number =>
  flows.reduce((sum, flow) => sum + flow.perSecond * of(flow), 0);

/** As many nodes as it takes, with what that costs the database; at most so many that it is plainly too many. */
export function demandOf(measured: Measured, profile: Profile, design: Design): Demand {
  const flows = flowsOf(measured, profile);
  let nodes = Math.max(2, Math.ceil(profile.connected / ASSUMED.appsPerNode));
  let demand = withNodes(measured, profile, design, flows, nodes);
  while (totalOf(demand.node) > ASSUMED.nodeShare && nodes < MOST_NODES) {
    nodes = Math.ceil(nodes * 1.02) + 1;
    demand = withNodes(measured, profile, design, flows, nodes);
  }
  return demand;
}

export const totalOf = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((sum, part) => sum + part, 0);

function withNodes(
  measured: Measured,
  profile: Profile,
  design: Design,
  flows: readonly Flow[],
  nodes: number,
): Demand {
  const { bystander, idle } = measured;
  const { databaseSpeed } = ASSUMED;
  const lookUps =
    design.members === 'looked up'
      ? flows.reduce(
          (sum, { habit, perSecond }) => sum + (IN_CONVERSATIONS.includes(habit.action) ? perSecond : 0),
          0,
        ) / ASSUMED.exchange
      : 0;
  const heardMs = ({ cost, hearers }: Flow): number =>
    (cost.events * bystander.eventMs + cost.messages * bystander.messageMs) *
    (design.feed === 'whole' ? 1 : chanceToHear(design, hearers, nodes));
  const node = {
    answers: sumOf(flows, ({ cost }) => cost.nodeMs) / nodes / 1_000,
    apps: ((profile.connected / nodes) * idle.nodeMsPerMinute) / 60_000,
    hears: sumOf(flows, heardMs) / 1_000,
    lookUps: (lookUps * Math.max(0, bystander.unknownMessageMs - bystander.messageMs)) / 1_000,
  };
  const workerCores = sumOf(flows, ({ cost }) => cost.workerMs) / 1_000;
  const workers = Math.max(2, Math.ceil(workerCores / ASSUMED.nodeShare));
  const feed = sumOf(
    flows,
    (flow) => scanOf(measured, design, flow, nodes) + workers * feedScanMs(measured, flow.cost),
  );
  const relayed = sumOf(flows, ({ cost }) => nodes * adapterScanMs(measured, cost));
  const streamMs = (feed + relayed) / databaseSpeed;
  const fromSecondary = measured.streams.broughtBySecondary / measured.streams.brought;
  const staleMs = sumOf(flows, staleReadMs) / databaseSpeed;
  const workMs = sumOf(flows, (flow) => flow.cost.databaseMs * acrossShards(design, flow)) / databaseSpeed;
  const [isSecondary, areStale] = [design.streamsFrom === 'secondary', design.readsFrom === 'secondary'];
  const lookUpMs = (lookUps * nodes * bystander.unknownMessageReads * readMs(measured)) / databaseSpeed;
  return {
    ...{ design, flows, nodes, node, workerCores },
    primary: {
      work: (workMs - (areStale ? staleMs : 0)) / design.shards / 1_000,
      streams: (streamMs * (isSecondary ? fromSecondary : 1)) / design.shards / 1_000,
      lookUps: lookUpMs / design.shards / 1_000,
    },
    secondaries: ((isSecondary ? streamMs : 0) + (areStale ? staleMs : 0)) / 1_000,
    reactorShare: (sumOf(flows, handledEvents) * reactorMs(measured)) / design.reactors / 1_000,
    lookUpsPerSecond: lookUps * nodes,
  };
}

/** How likely somebody on a node waits for what this many people wait for. */
function chanceToHear(design: Design, hearers: number, nodes: number): number {
  const parts = design.feed === 'partitioned' ? Math.min(TOPICS, nodes) : nodes;
  return 1 - (1 - 1 / parts) ** hearers;
}

/** What all nodes' reading of the feed costs the database for one time of an action. */
function scanOf(measured: Measured, design: Design, { cost, hearers }: Flow, nodes: number): number {
  const whole = feedScanMs(measured, cost);
  if (design.feed === 'whole') return nodes * whole;
  if (design.feed === 'relayed') return RELAYS * whole;
  const { streams } = measured;
  const chance = chanceToHear(design, hearers, nodes);
  const passing = design.feed === 'filtered' ? streams.otherUser : streams.otherCollection;
  const own = cost.events + cost.messages;
  const scan =
    (own * (chance * streams.brought + (1 - chance) * passing) + cost.passed * streams.otherCollection) / 1_000;
  // What people of several groups wait for is written once for each.
  const copies = design.feed === 'partitioned' ? own * (Math.min(hearers, TOPICS) - 1) : 0;
  return nodes * scan + (copies * streams.written) / 1_000;
}

/**
 * What the reactor takes for an event, in milliseconds: its processor's time and then the database's, since it waits for
 * that. How long it took by the clock is no help: others had the processors as well.
 */
export function reactorMs({ reactor }: Measured): number {
  const databaseMs = (reactor.databaseCoresMeanwhile * 1_000) / reactor.eventsPerSecond;
  return reactor.workerMsEach + databaseMs / ASSUMED.databaseSpeed;
}

/** Events that listeners write something upon: one for each action that is no message. Messages are the follower's. */
export function handledEvents({ habit, cost }: Flow): number {
  return IN_CONVERSATIONS.includes(habit.action) ? 0 : Math.min(1, cost.events);
}

/** One read by id or index, of what reading a page of comments takes with three of them and one write. */
function readMs(measured: Measured): number {
  const { databaseMs, trips } = costOf(measured, 'commentsPage');
  return databaseMs / trips;
}

function staleReadMs({ habit, cost }: Flow): number {
  return MAY_BE_STALE.has(habit.action) ? (cost.databaseMs * cost.reads) / cost.trips : 0;
}

function acrossShards({ shards }: Design, { cost }: Flow): number {
  return shards > 1 && cost.commits > 0 ? ASSUMED.acrossShards : 1;
}
