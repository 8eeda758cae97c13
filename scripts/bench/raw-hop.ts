import { ObjectId } from 'mongodb';
import { FLOOR } from './floor-collections.js';
import { atRate, wallClock } from './pace.js';
import { Helper } from './processes.js';
import { type Latencies } from './reactions.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 20_000;
const PER_SECOND = 100;
const BODY = 'x'.repeat(80);

/** One majority insert and one hop over a change stream to another process, at a rate that troubles nobody. */
export async function rawHop(stage: Stage, seconds: number): Promise<Latencies> {
  const messages = stage.db.collection(FLOOR.messages);
  // Only as long as it is needed: its stream costs the server something for each of Atrium's writes.
  const hop = await Helper.start('floor-hop.ts', { MONGODB_URI: stage.uri });
  await hop.ask({});
  await atRate(PER_SECOND, seconds, () => {
    const message = { sentAt: wallClock(), conversationId: new ObjectId(), body: BODY };
    messages.insertOne(message).catch((error: unknown) => console.error(error));
  });
  const took: number[] = [];
  const end = performance.now() + PATIENCE_MS;
  while (took.length < PER_SECOND * seconds && performance.now() < end) {
    took.push(...(await hop.ask<number[]>({})));
  }
  await hop.stop();
  return { took, overdue: PER_SECOND * seconds - took.length };
}
