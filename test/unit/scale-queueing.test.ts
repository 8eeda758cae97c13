import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../scripts/random.js';
import { Station, type StationOptions, Timeline } from '../../scripts/scale/queueing.js';

const WARM_UP_MS = 2_000;

interface Queue extends StationOptions {
  /** Arrivals in a millisecond. */
  rate: number;
  serviceMs: (random: Random) => number;
  arrivals?: number;
  seed?: number;
}

function simulate({ rate, serviceMs, arrivals = 30_000, seed = 1, ...options }: Queue) {
  const random = new Random(seed);
  const timeline = new Timeline();
  const station = new Station(timeline, { ...options, countFrom: WARM_UP_MS });
  const arrive = (): void => {
    station.serve(serviceMs(random));
    timeline.after(random.until(1 / rate), arrive);
  };
  timeline.after(random.until(1 / rate), arrive);
  timeline.runUntil(WARM_UP_MS + arrivals / rate);
  return { station, mean: station.took.reduce((sum, each) => sum + each, 0) / station.took.length };
}

/** How likely an arrival has to wait for one of `servers`, offered `load` of them (Erlang’s C). */
function erlangC(servers: number, load: number): number {
  let blocked = 1;
  for (let each = 1; each <= servers; each += 1) blocked = (load * blocked) / (each + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

const SEEDS = fc.integer({ min: 1, max: 1_000 });
const busy = fc.double({ min: 0.1, max: 0.7, noNaN: true });

describe('the simulation of queues', () => {
  it('has everyone wait as long as M/M/c says', () => {
    fc.assert(
      fc.property(SEEDS, busy, fc.integer({ min: 1, max: 8 }), (seed, utilisation, servers) => {
        const rate = utilisation * servers;
        const { mean, station } = simulate({ seed, rate, servers, serviceMs: (random) => random.until(1) });
        const expected = 1 + erlangC(servers, rate) / (servers - rate);
        expect(mean).to.be.closeTo(expected, 0.15 * expected);
        expect(station.utilisation).to.be.closeTo(utilisation, 0.05);
      }),
      { numRuns: 6, seed: 1 },
    );
  });

  it('has everyone wait half as long where all services take the same, as M/D/1 says', () => {
    fc.assert(
      fc.property(SEEDS, busy, (seed, rate) => {
        const { mean } = simulate({ seed, rate, servers: 1, serviceMs: () => 1 });
        const expected = 1 + rate / (2 * (1 - rate));
        expect(mean).to.be.closeTo(expected, 0.1 * expected);
      }),
      { numRuns: 6, seed: 1 },
    );
  });

  it('gives the 95th percentile of M/M/1', () => {
    const { station } = simulate({ rate: 0.5, servers: 1, serviceMs: (random) => random.until(1) });
    const sorted = station.took.sort((a, b) => a - b);
    expect(sorted[Math.floor(0.95 * sorted.length)]).to.be.closeTo(-Math.log(0.05) / 0.5, 0.6);
  });

  it('lets those who wait share what a batch takes, and keeps up where one by one could not', () => {
    const each = { rate: 0.5, servers: 1, serviceMs: () => 1 };
    const alone = simulate({ ...each, batch: { most: 1, fixedMs: 10 } }).station;
    expect(alone.utilisation).to.be.closeTo(1, 0.01);
    expect(alone.waiting).to.be.greaterThan(20_000);
    const { station } = simulate({ ...each, batch: { most: 100, fixedMs: 10 } });
    expect(station.waiting).to.be.below(100);
    // In a batch of n arrive those of the next one: n = 0.5 · (10 + n), so that 20 ms pass for 10 of them.
    expect(Math.max(...station.took)).to.be.below(100);
  });

  it('is the same for the same seed, and another for another', () => {
    const took = (seed: number): number[] =>
      simulate({ seed, rate: 0.6, servers: 2, arrivals: 500, serviceMs: (random) => random.until(1) }).station.took;
    expect(took(7)).to.deep.equal(took(7));
    expect(took(7)).not.to.deep.equal(took(8));
  });

  it('counts nothing that happens before the queue has settled', () => {
    const timeline = new Timeline();
    const station = new Station(timeline, { servers: 1, countFrom: 100 });
    timeline.after(50, () => station.serve(100));
    timeline.after(120, () => station.serve(30));
    timeline.runUntil(200);
    expect(station.took).to.deep.equal([60]);
    expect(station.utilisation).to.equal(0.8);
  });
});
