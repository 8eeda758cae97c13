import { collections } from '../../src/collections.js';
import { table } from '../figures.js';
import { costOf } from './costs.js';
import { DESIGNS } from './designs.js';
import { checkKeys } from './keys.js';
import { type Measured } from './measured.js';
import { ASSUMED, type Demand, demandOf, flowsOf, sumOf, totalOf } from './model.js';
import { type Peak, simulatePeak } from './peak.js';
import { inADay, type Profile, profileOf } from './profile.js';

export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  if (size === 0) return '0';
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
};
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** One row of the profile with what each time of it takes. */
export function costRows(measured: Measured, profile: Profile): string[] {
  const rows = profile.habits.map(({ action, perHour }) => {
    const cost = costOf(measured, action);
    const each = [cost.nodeMs, cost.workerMs, cost.databaseMs, cost.reads, cost.writes, cost.commits, cost.documents];
    const bytes = [cost.events + cost.messages, cost.eventBytes, cost.oplogBytes, cost.clientOut, cost.clientIn];
    return [action, ...[perHour, ...each, ...bytes].map(figure), ''];
  });
  const head = ['measured, a time', 'an hour', 'node ms', 'worker ms', 'mongod ms', 'reads', 'writes', 'commits'];
  return table([...head, 'documents', 'events', 'event B', 'oplog B', 'out B', 'in B', ''], rows);
}

export interface Totals {
  actions: number;
  reads: number;
  writes: number;
  commits: number;
  documents: number;
  events: number;
  streamDocuments: number;
  streamMBit: number;
  oplogMBit: number;
  clientOutMBit: number;
  clientInMBit: number;
  storageGBADay: number;
  storageGBAYear: number;
}

/** What goes by itself, or with the socket that it is about. */
const PASSING: ReadonlySet<string> = new Set(['rateLimits', 'socketAdapter', 'foregroundUsers', 'messageNews']);
const EVENTS_DAYS = 7;
/** Assumed: two ids of 12 bytes, where it leads, and a third of room. */
const INDEX_ENTRY_BYTES = 40;

export function totalsOf(measured: Measured, profile: Profile, nodes: number): Totals {
  const flows = flowsOf(measured, profile);
  const mbit = (bytes: number): number => (bytes * 8) / 1e6;
  const events = sumOf(flows, ({ cost }) => cost.events + cost.messages);
  const idle = measured.idle;
  const perDay = flows.flatMap(({ habit, cost }) =>
    Object.entries(cost.inserted)
      .filter(([name]) => !PASSING.has(name))
      .map(([name, count]) => {
        const entries = 1 + (collections.find((each) => each.name === name)?.indexes.length ?? 0);
        const bytes = (cost.insertedBytes[name] ?? 0) + count * entries * INDEX_ENTRY_BYTES;
        return { name, bytes: inADay(profile, habit) * bytes };
      }),
  );
  const day = perDay.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9;
  const eventsADay = perDay.reduce((sum, { name, bytes }) => sum + (name === 'events' ? bytes : 0), 0) / 1e9;
  return {
    actions: sumOf(flows, () => 1),
    reads: sumOf(flows, ({ cost }) => cost.reads),
    writes: sumOf(flows, ({ cost }) => cost.writes),
    commits: sumOf(flows, ({ cost }) => cost.commits),
    documents: sumOf(flows, ({ cost }) => cost.documents),
    events,
    streamDocuments: events * (nodes + 2),
    streamMBit: mbit(sumOf(flows, ({ cost }) => cost.eventBytes)) * (nodes + 2),
    oplogMBit: mbit(sumOf(flows, ({ cost }) => cost.oplogBytes)),
    clientOutMBit: mbit(sumOf(flows, ({ cost }) => cost.clientOut) + (profile.connected * idle.outPerMinute) / 60),
    clientInMBit: mbit(sumOf(flows, ({ cost }) => cost.clientIn) + (profile.connected * idle.inPerMinute) / 60),
    storageGBADay: day,
    storageGBAYear: (day - eventsADay) * 365 + eventsADay * EVENTS_DAYS,
  };
}

/** What breaks first: everything that is over its limit, the furthest first. */
export function overLimit({ node, primary, reactorShare }: Demand): string {
  const found = [
    { name: 'node', times: totalOf(node) / ASSUMED.nodeShare },
    { name: 'primary', times: totalOf(primary) / ASSUMED.databaseCores / ASSUMED.databaseShare },
    { name: 'reactor', times: reactorShare / ASSUMED.nodeShare },
  ];
  const over = found.filter(({ times }) => times > 1.001).sort((a, b) => b.times - a.times);
  return over.map(({ name, times }) => `${name} ${figure(times)}×`).join(', ') || 'nothing';
}

export interface Case {
  connected: number;
  demand: Demand;
  peak: Peak;
}

export function casesOf(measured: Measured, connected: readonly number[], seed: number): Case[] {
  return connected.flatMap((count) =>
    DESIGNS.map((design) => {
      const demand = demandOf(measured, profileOf(count), design);
      return { connected: count, demand, peak: simulatePeak(measured, demand, seed) };
    }),
  );
}

export function caseRows(cases: readonly Case[]): string[] {
  const rows = cases.map(({ connected, demand, peak }) => {
    const { design, nodes, node, primary, secondaries, reactorShare, lookUpsPerSecond } = demand;
    return [
      connected.toLocaleString('en'),
      ...[String(nodes), percent(totalOf(node)), percent(node.hears + node.lookUps)],
      ...[primary.work, primary.streams, primary.lookUps, secondaries].map(figure),
      ...[percent(reactorShare), figure(lookUpsPerSecond)],
      ...[peak.answerP95, peak.heardP95, peak.p95.reactor].map(figure),
      ...[overLimit(demand), design.name],
    ];
  });
  const head = ['connected', 'nodes', 'node', 'of it hearing', 'primary: work', 'streams', 'look-ups', 'secondaries'];
  return table([...head, 'reactor', 'look-ups/s', 'answer', 'heard', 'notified', 'over its limit', 'layout'], rows);
}

export function keyRows(): string[] {
  const rows = checkKeys().map(({ collection, key, barred, scattered, targeted }) => [
    collection,
    key,
    String(targeted.length),
    scattered.map((each) => `(${each})`).join(' ') || '–',
    barred.map((each) => `(${each})`).join(' ') || '–',
  ]);
  return table(['collection', 'key', 'one shard', 'every shard', 'unique, in the way'], rows);
}
