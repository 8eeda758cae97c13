import { setTimeout as pause } from 'node:timers/promises';
import { percentile, table } from '../figures.js';
import { Crowd } from '../load/crowd.js';
import { type Ledger, merged } from '../load/ledger.js';
import { findingsOf, isRight } from '../load/report.js';
import { prepareScene } from '../load/scene.js';
import { verify } from '../load/verify/index.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { type Outcome } from './suite.js';

export interface OverloadOptions extends ClusterOptions {
  people: number;
  seed: number;
  patienceMs: number;
  say: (line: string) => void;
}

type Page = Pick<Ledger, 'actions' | 'shown'>;

const FIRST_PER_SECOND = 10;
const STEP = 1.4;
const STEP_MS = 5_000;
/** What can be sustained is answered so soon, but for one in twenty. */
const SUSTAINED_P95_MS = 400;
const OVERLOAD_MS = 20_000;
const RECOVERY_LOOK_MS = 1_000;
const MOST_LOOKS = 60;
const MB = 1024 * 1024;

/** Asks for twice what can be sustained, and looks what that does to those who are answered, and how soon it is over. */
export async function runOverload(options: OverloadOptions): Promise<Outcome> {
  const { say, seed, people, patienceMs } = options;
  const cluster = await Cluster.start(options);
  try {
    const { urls } = cluster;
    const plan = await prepareScene({ urls, people, seed });
    const habits = { thinkMs: 0, stayMs: 0, awayMs: 0 };
    const crowd = new Crowd({ ...plan, urls, habits, seed, perSecond: FIRST_PER_SECOND });
    await crowd.begin();
    const pages: Page[] = [];
    const rows: string[][] = [];
    const phase = async (name: string, perSecond: number, milliseconds: number): Promise<Page> => {
      await crowd.pace(perSecond);
      await pause(milliseconds);
      const page = await crowd.turnPage();
      pages.push(page);
      rows.push([name, perSecond.toFixed(0), ...columnsOf(page, milliseconds), (await memoryOf(urls)).toFixed(0)]);
      say(`${name}: ${perSecond.toFixed(0)} a second`);
      return page;
    };
    await phase('warming up', FIRST_PER_SECOND, STEP_MS);
    let sustained = FIRST_PER_SECOND;
    for (let perSecond = FIRST_PER_SECOND; ; perSecond *= STEP) {
      const page = await phase('rising', perSecond, STEP_MS);
      if (shedIn(page) > 0 || percentile(tookIn(page), 0.95) > SUSTAINED_P95_MS) break;
      sustained = perSecond;
    }
    await phase('sustained', sustained, STEP_MS * 2);
    await phase('twice that', 2 * sustained, OVERLOAD_MS);
    const recovered = await recover(phase, sustained / 2);
    say(`nothing was turned away any more after ${recovered} s`);
    await crowd.end();
    const ledger = merged([...pages.map((page) => ({ people: [], ...page })), await crowd.ledger()]);
    const { db } = cluster.set;
    const findings = await verify({ ledger, posts: plan.posts, urls, db, patienceMs });
    findings.push({
      ...{
        what: 'recovery',
        found: `${recovered} s after the rate fell`,
        wrong: recovered < MOST_LOOKS ? [] : ['never'],
      },
    });
    await crowd.close();
    const head = ['', 'a second', 'done a second', 'p50', 'p95', 'p99', 'turned away', 'API memory, MB'];
    return { isRight: isRight(findings), findings, report: [...table(head, rows), '', ...findingsOf(findings)] };
  } finally {
    await cluster.close();
  }
}

/** In how many seconds of a lower rate nothing is turned away any more. */
async function recover(
  phase: (name: string, perSecond: number, milliseconds: number) => Promise<Page>,
  perSecond: number,
): Promise<number> {
  for (let looks = 1; looks < MOST_LOOKS; looks += 1) {
    if (shedIn(await phase('half of it', perSecond, RECOVERY_LOOK_MS)) === 0) return looks;
  }
  return MOST_LOOKS;
}

function columnsOf(page: Page, milliseconds: number): string[] {
  const took = tookIn(page);
  const shares = [0.5, 0.95, 0.99].map((share) => percentile(took, share).toFixed(0));
  return [((took.length * 1_000) / milliseconds).toFixed(0), ...shares, String(shedIn(page))];
}

/** Of the attempts that were answered as done. */
function tookIn({ actions }: Page): number[] {
  return Object.values(actions).flatMap(({ took }) => took);
}

function shedIn({ actions }: Page): number {
  return Object.values(actions).reduce((sum, { attempts }) => sum + (attempts['503 OVERLOADED'] ?? 0), 0);
}

/** The memory of the API nodes together, by their own account. */
async function memoryOf(urls: readonly string[]): Promise<number> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return (
    texts.reduce((sum, text) => sum + Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? 0), 0) / MB
  );
}
