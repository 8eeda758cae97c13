/**
 * Measures Atrium beside the plain driver on the same database in the same run: ratios hold on any machine, figures
 * on this one only. Starts everything it needs and takes it down again.
 *
 *   NAME …          only these: reactions, notifications, mails, chat, suggestions, announcements
 *   --json          one JSON line a measurement on standard output; the table goes to standard error
 *   --quick         one short round of each
 *   --rate=N        reactions a second, 50 where it is not given
 *   --profile=DIR   CPU profiles of the API and worker processes
 */
import { parseArgs } from 'node:util';
import { SmtpEdge } from '../../test/edge/index.js';
import { Announcement } from './announcement.js';
import { Batches } from './batches.js';
import { Chat } from './chat.js';
import { describeMachine, type Machine } from './machine.js';
import { Helper } from './processes.js';
import { copyIndexes, insertRaw, RAW } from './raw-inserts.js';
import { type Latencies, Reactions } from './reactions.js';
import { percentile } from '../figures.js';
import { chatLatency, compareLatencies, compareRates, inWords, type Measurement, median, round } from './report.js';
import { Stage } from './stage.js';
import { settle, Suggestions } from './suggestions.js';
import { Town } from './town.js';

const { values: choices, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rate: { type: 'string', default: '50' },
    profile: { type: 'string' },
  },
});

const CONNECTED = 200;
const RECIPIENTS = 1_000;
const REACTIONS_PER_SECOND = Number(choices.rate);
const ROUNDS = choices.quick ? 1 : 3;
const SECONDS = choices.quick ? 3 : 5;
const WARM_UP_SECONDS = choices.quick ? 2 : 5;
const CALLS = choices.quick ? 8 : 15;
const MAIL_CALLS = 2;
/** Calls under way at a time, and raw batches. */
const AT_ONCE = 4;
const TOWN = { users: choices.quick ? 10_000 : 100_000, hubs: 20, hubConnections: 500 };
/** Recipients of an announcement, how many of them look on, and how many reactions a second there are meanwhile. */
const CROWD = { recipients: choices.quick ? 5_000 : 100_000, connected: 50, perSecond: 20 };
/** Each has two conversations; messages a second at which their latency is measured; from there on the rate rises. */
const CHAT = { people: choices.quick ? 50 : 250, rates: [200, 1_000], step: 1.25, mostMs: 50 };
const RAW_DOCUMENTS = choices.quick ? 10_000 : 20_000;

const progress = (text: string): void => console.error(`… ${text}`);
const measurements: Measurement[] = [];

function publish(measurement: Measurement): void {
  measurements.push(measurement);
  if (choices.json) console.log(JSON.stringify(measurement));
}

async function measureReactions(stage: Stage): Promise<void> {
  const reactions = await Reactions.prepare(stage);
  const relay = await Helper.start('floor-relay.ts', { MONGODB_URI: stage.uri });
  const writer = await Helper.start('floor-writer.ts', { MONGODB_URI: stage.uri });
  const floor = (seconds: number): Promise<Latencies> => writer.ask({ perSecond: REACTIONS_PER_SECOND, seconds });
  try {
    progress(`reactions, ${REACTIONS_PER_SECOND} a second: warming up`);
    await reactions.run(REACTIONS_PER_SECOND, WARM_UP_SECONDS);
    await floor(WARM_UP_SECONDS);
    const rounds = [];
    // In turns, so that whatever else the machine does falls on both.
    for (let number = 1; number <= ROUNDS; number += 1) {
      progress(`reactions, ${REACTIONS_PER_SECOND} a second: round ${number} of ${ROUNDS}`);
      rounds.push({ atrium: await reactions.run(REACTIONS_PER_SECOND, SECONDS), floor: await floor(SECONDS) });
    }
    publish(compareLatencies(`reaction to socket, ${REACTIONS_PER_SECOND} a second`, rounds, { mostRatio: 3 }));
  } finally {
    await Promise.all([writer.stop(), relay.stop()]);
  }
}

async function measureBatches(stage: Stage, batches: Batches): Promise<void> {
  progress(`notifications, ${RECIPIENTS} a call: warming up`);
  await batches.run(2, AT_ONCE);
  const like = await stage.db.collection('notifications').find({ type: 'SYSTEM' }).limit(RECIPIENTS).toArray();
  await copyIndexes(stage.db);
  const raw = (name: string): Promise<number> =>
    insertRaw(stage.db, { name, like, count: RAW_DOCUMENTS, atOnce: AT_ONCE });
  await raw(RAW.bare);
  const rounds = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    progress(`notifications, ${RECIPIENTS} a call: round ${number} of ${ROUNDS}`);
    const { perSecond, overdue } = await batches.run(CALLS, AT_ONCE);
    const more = { 'with its indexes': Math.round(await raw(RAW.indexed)) };
    rounds.push({ atrium: perSecond, raw: await raw(RAW.bare), overdue, more });
  }
  publish(compareRates('notifications, written and shown', rounds, 0.2));
}

async function measureMail(stage: Stage, batches: Batches): Promise<void> {
  const smtp = new SmtpEdge();
  await smtp.start();
  try {
    progress('mails by SMTP: the worker starts anew, with a mail server');
    await stage.startWorker({ SMTP_URL: smtp.url, MAIL_FROM: 'Atrium <no-reply@bench.example>' });
    await batches.runByMail(smtp, 1, 1);
    const rates = [];
    for (let number = 1; number <= ROUNDS; number += 1) {
      progress(`mails by SMTP: round ${number} of ${ROUNDS}`);
      rates.push(await batches.runByMail(smtp, MAIL_CALLS, AT_ONCE));
    }
    publish({
      measure: 'mails by SMTP, one local server',
      unit: '1/s',
      atrium: { median: Math.round(median(rates.map(({ perSecond }) => perSecond))) },
      overdue: rates.reduce((sum, { overdue }) => sum + overdue, 0),
    });
  } finally {
    await smtp.stop();
  }
}

async function measureSuggestions(stage: Stage, town: Town): Promise<void> {
  const suggestions = await Suggestions.prepare(stage, town);
  progress('suggestions: warming up');
  await suggestions.run();
  const rounds = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    progress(`suggestions: round ${number} of ${ROUNDS}`);
    rounds.push(await suggestions.run());
  }
  const { users, hubConnections } = TOWN;
  const measure = `suggestions for ${hubConnections} connections among ${users} users`;
  const { atrium, ...compared } = compareLatencies(measure, rounds, { mostMs: 50 });
  publish({ ...compared, measure, atrium: { ...atrium, cpu: round(median(rounds.map(({ cpuMs }) => cpuMs))) } });
}

/** Reactions while a crowd is written to beside their quiet latency, and who got what when the announcing worker dies. */
async function measureAnnouncements(stage: Stage): Promise<void> {
  const { recipients, connected, perSecond } = CROWD;
  progress(`announcements: registering ${connected} people among ${recipients} recipients`);
  await stage.populate(connected, recipients);
  await stage.startSecondWorker();
  const reactions = await Reactions.prepare(stage);
  progress(`announcements: ${perSecond} reactions a second, quiet`);
  await reactions.run(perSecond, WARM_UP_SECONDS);
  const floor = await reactions.run(perSecond, 2 * SECONDS);
  progress(`announcements: to ${recipients}`);
  const announcement = await Announcement.begin(stage);
  const atrium = await reactions.run(perSecond, 2 * SECONDS);
  progress('announcements: kill -9 of the worker that announces');
  const wasKilled = await announcement.killAnnouncer();
  const { seconds, reached, doubled, missing } = await announcement.end();
  const measure = `reaction to socket while ${recipients} are announced to; raw: quiet`;
  const compared = compareLatencies(measure, [{ atrium, floor }], { mostRatio: 2 });
  publish({ ...compared, atrium: { ...compared.atrium, 'fan-out s': round(seconds) } });
  publish({
    measure: `announced exactly once${wasKilled ? ', its worker killed in the midst' : '; over before its worker was killed'}`,
    unit: 'users',
    atrium: { reached, doubled, missing },
    aim: 'each once',
    met: doubled === 0 && missing === 0,
    overdue: 0,
  });
}

/** Messages on so many API nodes: their latency, and how many a second arrive in time. */
async function measureChat(stage: Stage, nodes: number): Promise<void> {
  for (let more = 1; more < nodes; more += 1) await stage.startFurtherApi();
  const where = `${nodes} node${nodes === 1 ? '' : 's'}`;
  progress(`chat: ${CHAT.people} people on ${where}`);
  const chat = await Chat.prepare(stage, CHAT.people);
  progress('chat: warming up');
  await chat.run(CHAT.rates[0] ?? 200, WARM_UP_SECONDS);
  await chat.floor(WARM_UP_SECONDS);
  const floor = await chat.floor(SECONDS);
  for (const rate of CHAT.rates) {
    progress(`chat: ${rate} messages a second`);
    publish(chatLatency(`message to socket, ${rate} a second, ${where}`, await chat.run(rate, SECONDS), floor));
  }
  let highest = 0;
  for (let rate = CHAT.rates[0] ?? 200; ; rate *= CHAT.step) {
    progress(`chat: ${Math.round(rate)} messages a second`);
    const { took, overdue } = await chat.run(Math.round(rate), SECONDS);
    if (overdue > 0 || percentile(took, 0.95) > CHAT.mostMs) break;
    highest = Math.round(rate);
  }
  const like = await stage.db.collection('messages').find().limit(500).toArray();
  const raw = await insertRaw(stage.db, { name: RAW.messages, like, count: RAW_DOCUMENTS, atOnce: 1 });
  const measure = `messages a second with p95 under ${CHAT.mostMs} ms, ${where}`;
  publish(compareRates(measure, [{ atrium: highest, raw, overdue: 0 }], 0.12));
  await chat.end();
}

/** Those that go together, on one stage. */
async function measureTraffic(stage: Stage): Promise<void> {
  progress(`registering ${CONNECTED} people and opening their sockets`);
  await stage.populate(CONNECTED, RECIPIENTS);
  if (isWanted('reactions')) await measureReactions(stage);
  if (!isWanted('notifications') && !isWanted('mails')) return;
  const batches = await Batches.prepare(stage);
  if (isWanted('notifications')) await measureBatches(stage, batches);
  if (isWanted('mails')) await measureMail(stage, batches);
}

const MEASURES = ['reactions', 'notifications', 'mails', 'chat', 'suggestions', 'announcements'] as const;
const TRAFFIC: readonly string[] = ['reactions', 'notifications', 'mails'];

function isWanted(name: (typeof MEASURES)[number]): boolean {
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
  const unknown = names.filter((name) => !(MEASURES as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`there is no such measure: ${unknown.join(', ')}`);
  const machines: Machine[] = [];
  if (MEASURES.some((name) => TRAFFIC.includes(name) && isWanted(name))) machines.push(await onStage(measureTraffic));
  if (isWanted('chat')) for (const nodes of [1, 2]) machines.push(await onStage((stage) => measureChat(stage, nodes)));
  if (isWanted('announcements')) machines.push(await onStage(measureAnnouncements));
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
