import { percentile } from '../figures.js';
import { Chat } from './chat.js';
import { CHAT, progress, publish, RAW_DOCUMENTS, SECONDS, WARM_UP_SECONDS } from './choices.js';
import { Costs } from './costs.js';
import { FLOOR } from './floor-collections.js';
import { FloorNodes } from './floor-nodes.js';
import { rawHop } from './raw-hop.js';
import { copyIndexes, insertRaw, RAW } from './raw-inserts.js';
import { type Latencies } from './reactions.js';
import { chatLatency, compareRates, round } from './report.js';
import { type Stage } from './stage.js';

/** Messages on so many API nodes: their latency, and how many a second arrive in time. */
export async function measureChat(stage: Stage, nodes: number): Promise<void> {
  for (let more = 1; more < nodes; more += 1) await stage.startFurtherApi();
  const where = `${nodes} node${nodes === 1 ? '' : 's'}`;
  progress(`chat: ${CHAT.people} people on ${where}`);
  const chat = await Chat.onAtrium(stage, CHAT.people);
  progress('chat: warming up');
  for (const rate of CHAT.rates) await chat.run(rate, WARM_UP_SECONDS);
  await rawHop(stage, WARM_UP_SECONDS);
  const hop = await rawHop(stage, SECONDS);
  for (const rate of CHAT.rates) {
    progress(`chat: ${rate} messages a second`);
    const costs = await Costs.begin(stage);
    const said = await chat.run(rate, SECONDS);
    const { cpu, operations } = await costs.each(rate * SECONDS);
    publish(chatLatency(`message to socket, ${rate} a second, ${where}`, said, hop));
    publish({ measure: `processor time of each, ${rate} a second, ${where}`, unit: 'ms', atrium: cpu, overdue: 0 });
    publish({ measure: `asked of the database for each`, unit: '', atrium: operations, overdue: 0 });
  }
  const highest = await highestRate(chat);
  const like = await stage.db.collection('messages').find().limit(500).toArray();
  const raw = await insertRaw(stage.db, { name: RAW.messages, like, count: RAW_DOCUMENTS, atOnce: 1 });
  const measure = `messages a second with p95 under ${CHAT.mostMs} ms, ${where}`;
  publish(compareRates(measure, [{ atrium: highest, raw, overdue: 0 }], 0.12));
  chat.end();
  await measureFloor(stage, { nodes, hop, raw });
}

/** The same by what no design of this kind can do without: what is left of it is what Atrium itself takes. */
async function measureFloor(
  stage: Stage,
  { nodes, hop, raw }: { nodes: number; hop: Latencies; raw: number },
): Promise<void> {
  // Their change streams would cost the server something for each message.
  await stage.stopProcesses();
  await copyIndexes(stage.db, { from: 'messages', to: FLOOR.chat });
  const floor = await FloorNodes.start(stage.uri, nodes);
  const where = `${nodes} node${nodes === 1 ? '' : 's'} of the floor`;
  progress(`chat: ${CHAT.people} people on ${where}`);
  const chat = await Chat.onFloor(floor, CHAT.people);
  for (const rate of CHAT.rates) await chat.run(rate, WARM_UP_SECONDS);
  for (const rate of CHAT.rates) {
    progress(`chat: ${rate} messages a second`);
    const before = await floor.processorTime();
    publish(chatLatency(`message to socket, ${rate} a second, ${where}`, await chat.run(rate, SECONDS), hop));
    const each = ((await floor.processorTime()) - before) / (rate * SECONDS);
    const measure = `processor time of each, ${rate} a second, ${where}`;
    publish({ measure, unit: 'ms', atrium: { nodes: round(each) }, overdue: 0 });
  }
  const measure = `messages a second with p95 under ${CHAT.mostMs} ms, ${where}`;
  publish(compareRates(measure, [{ atrium: await highestRate(chat), raw, overdue: 0 }], 0.12));
  chat.end();
  await floor.stop();
}

/** The highest rate whose messages arrive in time, by steps of a quarter. */
async function highestRate(chat: Chat): Promise<number> {
  let highest = 0;
  for (let rate = CHAT.rates[0] ?? 200; ; rate *= CHAT.step) {
    progress(`chat: ${Math.round(rate)} messages a second`);
    const { took, overdue } = await chat.run(Math.round(rate), SECONDS);
    if (overdue > 0 || percentile(took, 0.95) > CHAT.mostMs) return highest;
    highest = Math.round(rate);
  }
}
