import { percentile, table } from '../figures.js';
import { type Latencies } from './reactions.js';

/** One measurement: its figures by name, and what is aimed at. */
export interface Measurement {
  measure: string;
  unit: string;
  atrium: Record<string, number>;
  /** The same by the plain driver, on the same database in the same run. */
  raw?: Record<string, number>;
  ratio?: number;
  /** The lowest and highest of the rounds: how far the machine's noise goes. */
  ratioOfRounds?: [number, number];
  aim?: string;
  met?: boolean;
  /** What had not arrived when the wait for it ended: late or lost, which is not told apart. */
  overdue: number;
}

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 };

/** What is aimed at: the 95th percentile in milliseconds, or its ratio to the raw one. */
export type LatencyAim = { mostMs: number } | { mostRatio: number };

/** Latency beside the floor's, compared by the 95th percentile. */
export function compareLatencies(
  measure: string,
  rounds: { atrium: Latencies; floor: Latencies }[],
  aim: LatencyAim,
): Measurement {
  const p95 = ({ took }: Latencies): number => percentile(took, SHARES.p95);
  const join = (all: Latencies[]): Latencies => ({ took: all.flatMap(({ took }) => took), overdue: 0 });
  const [atrium, floor] = [join(rounds.map((round) => round.atrium)), join(rounds.map((round) => round.floor))];
  const ratio = p95(atrium) / p95(floor);
  return {
    measure,
    unit: 'ms',
    atrium: percentilesOf(atrium),
    raw: percentilesOf(floor),
    ratio: round(ratio),
    ratioOfRounds: span(rounds.map((each) => p95(each.atrium) / p95(each.floor))),
    aim: 'mostMs' in aim ? `p95 at most ${aim.mostMs} ms` : `p95 at most ${aim.mostRatio} × raw`,
    met: 'mostMs' in aim ? p95(atrium) <= aim.mostMs : ratio <= aim.mostRatio,
    overdue: rounds.reduce((sum, each) => sum + each.atrium.overdue + each.floor.overdue, 0),
  };
}

/** Latency of messages: the 95th percentile beside the median of a raw insert that is seen elsewhere. */
export function chatLatency(measure: string, atrium: Latencies, floor: Latencies): Measurement {
  const ratio = percentile(atrium.took, SHARES.p95) / percentile(floor.took, SHARES.p50);
  return {
    measure,
    unit: 'ms',
    atrium: percentilesOf(atrium),
    raw: percentilesOf(floor),
    ratio: round(ratio),
    aim: 'p95 at most 4 × the median of raw',
    met: ratio <= 4 && atrium.overdue === 0,
    overdue: atrium.overdue + floor.overdue,
  };
}

/** Latency that is to stay under so many milliseconds. */
export function latencyBelow(measure: string, latencies: Latencies, mostMs: number): Measurement {
  return {
    measure,
    unit: 'ms',
    atrium: percentilesOf(latencies),
    aim: `p95 at most ${mostMs} ms`,
    met: percentile(latencies.took, SHARES.p95) <= mostMs && latencies.overdue === 0,
    overdue: latencies.overdue,
  };
}

/** A rate beside the raw one, by the medians of the rounds. */
export function compareRates(
  measure: string,
  rounds: {
    atrium: number;
    raw: number;
    overdue: number;
    more?: Record<string, number>;
    processorMs?: Record<string, number>;
  }[],
  leastRatio: number,
): Measurement {
  const [atrium, raw] = [median(rounds.map((each) => each.atrium)), median(rounds.map((each) => each.raw))];
  return {
    measure,
    unit: '1/s',
    atrium: { median: Math.round(atrium), ...processorTime(rounds.map(({ processorMs = {} }) => processorMs)) },
    raw: { median: Math.round(raw), ...rounds.at(-1)?.more },
    ratio: round(atrium / raw),
    ratioOfRounds: span(rounds.map((each) => each.atrium / each.raw)),
    aim: `at least ${leastRatio} × raw`,
    met: atrium / raw >= leastRatio,
    overdue: rounds.reduce((sum, { overdue }) => sum + overdue, 0),
  };
}

/** The medians of what each kind of process took for one. */
function processorTime(rounds: Record<string, number>[]): Record<string, number> {
  const kinds = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    kinds.map((kind) => [`ms of ${kind}`, round(median(rounds.map((each) => each[kind] ?? 0)))]),
  );
}

/** The table of all measurements, for a person. */
export function inWords(measurements: Measurement[]): string[] {
  const show = (figures: Record<string, number> | undefined): string =>
    Object.entries(figures ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const rows = measurements.map(({ measure, unit, atrium, raw, ratio, ratioOfRounds, aim, met, overdue }) => [
    measure,
    unit,
    show(atrium),
    show(raw),
    ratio === undefined ? '' : `${ratio}${ratioOfRounds ? ` (${ratioOfRounds.join(' to ')})` : ''}`,
    String(overdue),
    aim === undefined ? 'no aim' : `${aim}: ${met === true ? 'met' : 'NOT met'}`,
  ]);
  return table(['', 'unit', 'Atrium', 'raw', 'ratio (of rounds)', 'overdue', 'aim'], rows);
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

export function round(value: number): number {
  return Number(value.toPrecision(3));
}

function percentilesOf({ took }: Latencies): Record<string, number> {
  return Object.fromEntries(Object.entries(SHARES).map(([name, share]) => [name, round(percentile(took, share))]));
}

function span(values: number[]): [number, number] {
  return [round(Math.min(...values)), round(Math.max(...values))];
}
