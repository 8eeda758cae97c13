import { percentile } from '../figures.js';
import { Chat } from './chat.js';
import { CHAT, progress, publish, RAW_DOCUMENTS, SECONDS, WARM_UP_SECONDS } from './choices.js';
import { Costs } from './costs.js';
import { insertRaw, RAW } from './raw-inserts.js';
import { chatLatency, compareRates } from './report.js';
import { type Stage } from './stage.js';

/** Messages on so many API nodes: their latency, and how many a second arrive in time. */
export async function measureChat(stage: Stage, nodes: number): Promise<void> {
  for (let more = 1; more < nodes; more += 1) await stage.startFurtherApi();
  const where = `${nodes} node${nodes === 1 ? '' : 's'}`;
  progress(`chat: ${CHAT.people} people on ${where}`);
  const chat = await Chat.prepare(stage, CHAT.people);
  progress('chat: warming up');
  for (const rate of CHAT.rates) await chat.run(rate, WARM_UP_SECONDS);
  await chat.floor(WARM_UP_SECONDS);
  const floor = await chat.floor(SECONDS);
  for (const rate of CHAT.rates) {
    progress(`chat: ${rate} messages a second`);
    const costs = await Costs.begin(stage);
    const said = await chat.run(rate, SECONDS);
    const { cpu, operations } = await costs.each(rate * SECONDS);
    publish(chatLatency(`message to socket, ${rate} a second, ${where}`, said, floor));
    publish({ measure: `processor time of each, ${rate} a second, ${where}`, unit: 'ms', atrium: cpu, overdue: 0 });
    publish({ measure: `asked of the database for each`, unit: '', atrium: operations, overdue: 0 });
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
  chat.end();
}
