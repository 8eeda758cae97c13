/**
 * Measures Atrium beside the plain driver on the same database in the same run: ratios hold on any machine, figures
 * on this one only. Starts everything it needs and takes it down again.
 *
 *   NAME …          only these: reactions, notifications, mails, providers, chat, suggestions, announcements, api,
 *                   tracing, sockets, startup
 *   --json          one JSON line a measurement on standard output; the table goes to standard error
 *   --quick         one short round of each
 *   --rate=N        reactions a second, 50 where it is not given
 *   --sockets=N     sockets on one node, 10,000 where it is not given
 *   --profile=DIR   CPU profiles of the API and worker processes
 */
import { Batches } from './batches.js';
import { choices, CONNECTED, measurements, names, progress, RECIPIENTS, TOWN } from './choices.js';
import { describeMachine, type Machine } from './machine.js';
import { measureAnnouncements } from './measure-announcements.js';
import { measureApi } from './measure-api.js';
import { measureChat } from './measure-chat.js';
import { measureSockets } from './measure-sockets.js';
import { measureStartup } from './measure-startup.js';
import { measureSuggestions } from './measure-suggestions.js';
import { measureTracing } from './measure-tracing.js';
import { measureBatches, measureMail, measureProviders, measureReactions } from './measure-traffic.js';
import { inWords } from './report.js';
import { Stage } from './stage.js';
import { settle } from './suggestions.js';
import { Town } from './town.js';

/** Those that go together, on one stage. */
async function measureTraffic(stage: Stage): Promise<void> {
  progress(`registering ${CONNECTED} people and opening their sockets`);
  await stage.populate(CONNECTED, RECIPIENTS);
  if (isWanted('reactions')) await measureReactions(stage);
  if (!isWanted('notifications') && !isWanted('mails') && !isWanted('providers')) return;
  const batches = await Batches.prepare(stage);
  if (isWanted('notifications')) await measureBatches(stage, batches);
  if (isWanted('mails')) await measureMail(stage, batches);
  if (isWanted('providers')) await measureProviders(stage);
}

const TRAFFIC = ['reactions', 'notifications', 'mails', 'providers'] as const;
/** Each of these on a stage of its own. */
const ALONE = {
  announcements: measureAnnouncements,
  api: measureApi,
  tracing: measureTracing,
  sockets: measureSockets,
  startup: measureStartup,
};
const MEASURES: readonly string[] = [...TRAFFIC, 'chat', 'suggestions', ...Object.keys(ALONE)];

function isWanted(name: string): boolean {
  return names.length === 0 || names.includes(name);
}

async function onStage(work: (stage: Stage) => Promise<void>, town?: Town): Promise<Machine> {
  progress('starting a throwaway database, an API process and a worker process');
  if (town) progress(`with ${TOWN.users} users and ${town.connections} connections, which takes minutes`);
  const stage = await Stage.open(choices.profile, town && ((uri) => settle(town, uri)));
  try {
    const machine = await describeMachine(stage.db);
    if (choices.json) console.log(JSON.stringify({ machine }));
    await work(stage);
    return machine;
  } finally {
    await stage.close();
  }
}

async function main(): Promise<void> {
  const unknown = names.filter((name) => !MEASURES.includes(name));
  if (unknown.length > 0) throw new Error(`there is no such measure: ${unknown.join(', ')}`);
  const machines: Machine[] = [];
  if (TRAFFIC.some(isWanted)) machines.push(await onStage(measureTraffic));
  if (isWanted('chat'))
    for (const nodes of [1, 2, 3]) machines.push(await onStage((stage) => measureChat(stage, nodes)));
  for (const [name, measure] of Object.entries(ALONE)) if (isWanted(name)) machines.push(await onStage(measure));
  if (isWanted('suggestions')) {
    const town = new Town(TOWN);
    machines.push(await onStage((stage) => measureSuggestions(stage, town), town));
  }
  const show = choices.json ? console.error : console.log;
  for (const { cores, cpu, node, mongod } of machines.slice(0, 1)) {
    show(`\n${cores} cores (${cpu}), Node ${node}, mongod ${mongod}`);
  }
  show('One API process, one worker process, the database and the clients share them.');
  for (const line of inWords(measurements)) show(line);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
