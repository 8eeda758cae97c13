/** `npm run load`: people who use the product, and a ledger of what they did and were told. See `--help`. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Db, MongoClient } from 'mongodb';
import { Stage } from '../bench/stage.js';
import { choices } from './choices.js';
import { Crowd, type Load } from './crowd.js';
import { Crowds } from './crowds.js';
import { type CrowdPlan } from './plan.js';
import { figuresOf, findingsOf, isRight } from './report.js';
import { prepareScene } from './scene.js';
import { Soak } from './soak.js';
import { type Finding, verify, verifyLeftovers } from './verify/index.js';

/** Where the people go, and how it is taken down again. */
interface Ground {
  urls: string[];
  db?: Db;
  /** Everything that has `/metrics`, workers included. */
  processes: readonly string[];
  /** Stops the processes, where they are ours: what they leave behind is looked at then. */
  stopProcesses?: () => Promise<void>;
  close(): Promise<void>;
}

const STAY_MS = 20_000;
const AWAY_MS = 3_000;
const PATIENCE_MS = 120_000;
const SOAK_LOOKS = 40;

const progress = (text: string): void => console.error(`… ${text}`);
const show = (lines: readonly string[]): void => {
  for (const line of lines) (choices.json ? console.error : console.log)(line);
};

async function ownGround(): Promise<Ground> {
  progress(`starting a throwaway database, ${choices.nodes} API nodes and ${choices.workers} workers`);
  const stage = await Stage.open();
  for (let more = 1; more < choices.nodes; more += 1) await stage.startFurtherApi();
  if (choices.workers > 1) await stage.startSecondWorker();
  const urls = stage.servers().map(({ url }) => url);
  return {
    urls,
    db: stage.db,
    processes: [...urls, ...stage.workerUrls()],
    stopProcesses: () => stage.stopProcesses(),
    close: () => stage.close(),
  };
}

async function givenGround(urls: string[]): Promise<Ground> {
  const client = choices.databaseUri === undefined ? undefined : await MongoClient.connect(choices.databaseUri);
  const close = async (): Promise<void> => client?.close();
  return { urls, processes: urls, close, ...(client && { db: client.db() }) };
}

async function live(ground: Ground): Promise<Finding[]> {
  const { people, seed, seconds, thinkMs, perSecond, processes } = choices;
  progress(`${people} people register`);
  const scene = await prepareScene({ urls: ground.urls, people, seed });
  const plan: CrowdPlan = {
    ...{ ...scene, urls: ground.urls, seed, habits: { thinkMs, stayMs: STAY_MS, awayMs: AWAY_MS } },
    ...(perSecond !== undefined && { perSecond }),
  };
  const crowd: Load = processes > 1 ? await Crowds.start(plan, processes) : new Crowd(plan);
  const soak = choices.soak ? new Soak(ground.processes, ground.db) : undefined;
  progress(`they live for ${seconds} s, by seed ${seed}`);
  soak?.start((seconds * 1_000) / SOAK_LOOKS);
  await crowd.begin();
  await pause(seconds * 1_000);
  await soak?.stop();
  progress('they finish what they have at hand');
  await crowd.end();
  progress('the ledger is held against what the server has');
  const { urls, db } = ground;
  const ledger = await crowd.ledger();
  const findings = await verify({ ledger, posts: plan.posts, urls, patienceMs: PATIENCE_MS, ...(db && { db }) });
  await crowd.close();
  show([...figuresOf(ledger), '']);
  if (soak) show([...soak.report(), '']);
  if (choices.json) {
    const took = Object.fromEntries(Object.entries(ledger.actions).map(([name, each]) => [name, each.attempts]));
    console.log(JSON.stringify({ actions: took, findings }));
  }
  return findings;
}

async function main(): Promise<boolean> {
  const ground = choices.urls ? await givenGround(choices.urls) : await ownGround();
  try {
    const findings = await live(ground);
    if (ground.stopProcesses && ground.db) {
      await ground.stopProcesses();
      findings.push(...(await verifyLeftovers(ground.db)));
    }
    show(findingsOf(findings));
    return isRight(findings);
  } finally {
    await ground.close();
  }
}

main().then(
  (right) => process.exit(right ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
