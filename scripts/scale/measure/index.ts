/**
 * Measures what the model of `npm run scale` multiplies: what each thing that people do takes of a node, the worker, the
 * database and the network. Writes it to `measured.json`, beside the model.
 *
 *   actions, idle, reactor, bystander, streams   only these; the others stay as they were measured before
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Stage } from '../../bench/stage.js';
import { MEASURED, type Measured } from '../measured.js';
import { actionsOf } from './actions.js';
import { type Campus, prepareCampus } from './campus.js';
import { CountingProxy } from './counting-proxy.js';
import { measureBystander } from './measure-bystander.js';
import { measureReactor } from './measure-reactor.js';
import { measureIdle } from './measure-idle.js';
import { measureStreams } from './measure-streams.js';
import { processorMs } from '../../bench/processes.js';
import { measureActions } from './run-actions.js';

const RESIDENTS = 40;
const ON_STAGE = ['actions', 'idle', 'reactor', 'bystander'];
const names = process.argv.slice(2);
const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);
const progress = (text: string): void => console.error(`… ${text}`);

type Keep = (found: Partial<Measured>) => Promise<void>;

async function onStage(keep: Keep): Promise<void> {
  progress('starting a throwaway database, two API nodes and a worker');
  const stage = await Stage.open();
  try {
    // The one that people are on counts requests by its limits, as in production, and lets them all through.
    const node = await stage.startFurtherApi({ REQUESTS_PER_MINUTE: '1000000' });
    const proxy = await CountingProxy.start(node.url);
    progress(`${RESIDENTS} people come, and open the app`);
    const campus: Campus = await prepareCampus(stage, proxy.url, RESIDENTS);
    await heard(campus);
    if (isWanted('actions')) {
      const streams = await openStreams(stage);
      const ground = { stage, node, proxy };
      await keep({ streamsOpen: streams, ...(await measureActions(ground, actionsOf(campus), progress)) });
    }
    if (isWanted('idle')) {
      progress('apps that are open and do nothing');
      const people = campus.residents.map(({ person }) => person);
      await keep({ idle: await measureIdle(stage, node.url, proxy, people) });
    }
    if (isWanted('reactor')) {
      progress('a backlog for the reactor');
      await keep({ reactor: await measureReactor(stage, campus, () => processorMs(stage.databasePids)) });
    }
    if (isWanted('bystander')) {
      progress('what a node hears of that nobody there waits for');
      await keep({ bystander: await measureBystander(stage, campus) });
    }
    for (const { close } of campus.residents) close();
    await proxy.stop();
  } finally {
    await stage.close();
  }
}

/** Something of each kind has been heard of: what is measured after that is like it. */
async function heard(campus: Campus): Promise<void> {
  const wanted = new Set(['reaction', 'directMessage']);
  for (const action of actionsOf(campus)) if (wanted.has(action.name)) await action.run(0);
}

/** Change streams that the processes keep open, those of the database itself aside. */
async function openStreams(stage: Stage): Promise<number> {
  const [found] = await stage.db.client
    .db('admin')
    .aggregate<{ count: number }>([
      { $currentOp: { allUsers: true, idleCursors: true } },
      { $match: { 'cursor.originatingCommand.pipeline.0.$changeStream': { $exists: true } } },
      { $count: 'count' },
    ])
    .toArray();
  return found?.count ?? 0;
}

async function main(): Promise<void> {
  const before = await readFile(MEASURED, 'utf8').then(
    (text) => JSON.parse(text) as Partial<Measured>,
    () => ({}),
  );
  const [cpu] = cpus();
  const machine = { cores: cpus().length, cpu: cpu?.model.trim() ?? '', node: process.version };
  let found: Partial<Measured> = { ...before, machine };
  const keep = async (more: Partial<Measured>): Promise<void> => {
    found = { ...found, ...more };
    await writeFile(MEASURED, `${JSON.stringify(found, undefined, 2)}\n`);
  };
  if (ON_STAGE.some(isWanted)) await onStage(keep);
  if (isWanted('streams')) await keep({ streams: await measureStreams(progress) });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
