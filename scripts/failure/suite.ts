import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../random.js';
import { Crowd } from '../load/crowd.js';
import { type Ledger, merged } from '../load/ledger.js';
import { percentile } from '../figures.js';
import { figuresOf, findingsOf, isRight } from '../load/report.js';
import { prepareScene } from '../load/scene.js';
import { type Finding, verify, verifyLeftovers } from '../load/verify/index.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { FAULT_NAMES, type FaultName, faults, seconds } from './faults.js';

export interface SuiteOptions extends ClusterOptions {
  people: number;
  /** One after the other, in this order. */
  faults: readonly FaultName[];
  /** And then for so long at random, by the seed. */
  randomSeconds: number;
  seed: number;
  thinkMs: number;
  /** How long all that follows on the last thing that was done may take, in milliseconds. */
  patienceMs: number;
  say: (line: string) => void;
}

export interface Outcome {
  isRight: boolean;
  findings: Finding[];
  /** Everything that is to be read of it. */
  report: string[];
}

/** People are usual for so long before the first fault and after each, in milliseconds. */
const CALM_MS = 1_500;
const STAY_MS = 30_000;
const AWAY_MS = 1_500;
/** A fault at random lasts for so much longer than leases and claims at least and at most. */
const BEYOND = { least: 1, most: 4 };

/** Lets people live while everything goes wrong, and holds what they were told against what there is in the end. */
export async function runSuite(options: SuiteOptions): Promise<Outcome> {
  const { say, seed } = options;
  const begun = performance.now();
  say(`seed ${seed}; a set of ${options.members}, ${options.apis} API nodes, ${options.workers} workers start`);
  const cluster = await Cluster.start(options);
  try {
    const plan = await prepareScene({ urls: cluster.urls, people: options.people, seed });
    const habits = { thinkMs: options.thinkMs, stayMs: STAY_MS, awayMs: AWAY_MS };
    const crowd = new Crowd({ ...plan, urls: cluster.urls, habits, seed });
    say(`${options.people} people live after ${seconds(performance.now() - begun)}`);
    await crowd.begin();
    const pages = await goWrong(cluster, crowd, options);
    const ended = performance.now();
    await crowd.end();
    say(`everyone had finished what they had at hand ${seconds(performance.now() - ended)} after the last fault`);
    const ledger = merged([...pages.map((page) => ({ people: [], ...page })), await crowd.ledger()]);
    const { db } = cluster.set;
    const handedOver = (): ReturnType<Cluster['handedOver']> => cluster.handedOver();
    const { urls } = cluster;
    const { patienceMs } = options;
    const findings = await verify({ ledger, posts: plan.posts, urls, db, handedOver, patienceMs });
    say(`all that followed had come to its end ${seconds(performance.now() - ended)} after the last fault`);
    await crowd.close();
    const wrong = await cluster.stopProcesses();
    findings.push({ what: 'errors in the logs', found: 'none that nobody had foreseen', wrong: cluster.unforeseen() });
    findings.push({ what: 'processes', found: 'all ended in good order', wrong }, ...(await verifyLeftovers(db)));
    return { isRight: isRight(findings), findings, report: [...figuresOf(ledger), '', ...findingsOf(findings)] };
  } finally {
    await cluster.close();
  }
}

type Page = Pick<Ledger, 'actions' | 'shown'>;

/** Goes through the faults; answers with what was counted on the way. */
async function goWrong(cluster: Cluster, crowd: Crowd, options: SuiteOptions): Promise<Page[]> {
  const random = new Random(options.seed);
  const pages: Page[] = [];
  const goThrough = async (name: FaultName, longer: number): Promise<void> => {
    const holdMs = (Math.max(options.leaseSeconds, options.claimSeconds) + longer) * 1_000;
    const told = await faults[name](cluster, { holdMs, random });
    const ready = await cluster.ready();
    await pause(CALM_MS);
    const page = await crowd.turnPage();
    pages.push(page);
    options.say(`${name}: ${told}; all in order ${seconds(ready)} later; ${summaryOf(page)}`);
  };
  await pause(CALM_MS);
  pages.push(await crowd.turnPage());
  for (const name of options.faults) await goThrough(name, BEYOND.least);
  const end = performance.now() + options.randomSeconds * 1_000;
  while (performance.now() < end) {
    await goThrough(random.pick(FAULT_NAMES), random.between(BEYOND.least, BEYOND.most));
  }
  return pages;
}

function summaryOf({ actions }: Page): string {
  const all = Object.values(actions);
  const felt = all.flatMap((tally) => tally.felt);
  const lost = all.reduce((sum, { refused, unknown }) => sum + refused + unknown, 0);
  const p99 = percentile(felt, 0.99).toFixed(0);
  return `${felt.length} things done meanwhile, p99 ${p99} ms with all tries, ${lost} failed`;
}
