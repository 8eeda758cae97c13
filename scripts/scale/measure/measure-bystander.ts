import { setTimeout as pause } from 'node:timers/promises';
import { type Db, type Document, ObjectId } from 'mongodb';
import { type Stage } from '../../bench/stage.js';
import { type Campus } from './campus.js';
import { databaseReading } from './readings.js';

/** What it takes a node to hear of something that nobody connected to it waits for, in milliseconds of its processor. */
export interface BystanderCosts {
  /** An event of which it knows at once whom it is for. */
  eventMs: number;
  /** A message in a conversation whose members it remembers. */
  messageMs: number;
  /** A message in a conversation that it has to look up, and with how many reads. */
  unknownMessageMs: number;
  unknownMessageReads: number;
}

const TOGETHER = 5;
const QUIET_MS = 5_000;
const LOOK_MS = 1_000;
/** A node that does less in a second has nothing left to hear, in milliseconds of its processor. */
const QUIET_SHARE_MS = 100;
const OUT_OF_REACH = 1_000_000;

/** Writes events and messages, with no worker that would do something upon them, beside a node without sockets. */
export async function measureBystander(stage: Stage, { residents }: Campus): Promise<BystanderCosts> {
  await stage.stopWorker();
  const apart = (_: unknown, index: number): Document => ({
    _id: new ObjectId(),
    clientId: `bystander:${index}:${Date.now()}`,
  });
  const event = await newest(stage.db, 'events', { type: 'post.reacted' });
  const message = await newest(stage.db, 'messages', { conversationId: new ObjectId(residents[0]?.pairId) });
  const idle = await over(stage, () => pause(QUIET_MS));
  const each = async (collection: string, documents: Document[]): Promise<{ ms: number; reads: number }> => {
    const { ms, reads, tookMs } = await over(stage, async () => {
      for (let at = 0; at < documents.length; at += TOGETHER) {
        await stage.db.collection(collection).insertMany(documents.slice(at, at + TOGETHER));
      }
      await quiet(stage);
    });
    const less = (idleValue: number): number => (idleValue / idle.tookMs) * tookMs;
    return { ms: (ms - less(idle.ms)) / documents.length, reads: (reads - less(idle.reads)) / documents.length };
  };
  const many = <T>(count: number, make: (value: unknown, index: number) => T): T[] =>
    Array.from({ length: count }, make);
  const withoutId = (index: number): Document => ({
    ...message,
    ...apart(undefined, index),
    seq: OUT_OF_REACH + index,
  });
  const events = await each(
    'events',
    many(6_000, () => ({ ...event, _id: new ObjectId() })),
  );
  const known = await each(
    'messages',
    many(4_000, (_, index) => withoutId(index)),
  );
  const unknown = await each(
    'messages',
    many(2_000, (_, index) => ({ ...withoutId(OUT_OF_REACH + index), conversationId: new ObjectId() })),
  );
  return {
    eventMs: events.ms,
    messageMs: known.ms,
    unknownMessageMs: unknown.ms,
    // The node that people are on looks it up as well.
    unknownMessageReads: unknown.reads / stage.servers().length,
  };
}

async function quiet(stage: Stage): Promise<void> {
  const all = (): Promise<number[]> => Promise.all(stage.servers().map((api) => stage.cpuMs(api)));
  for (let before = await all(); ;) {
    await pause(LOOK_MS);
    const after = await all();
    if (after.every((ms, at) => ms - (before[at] ?? 0) < QUIET_SHARE_MS)) return;
    before = after;
  }
}

async function over(
  stage: Stage,
  work: () => Promise<unknown>,
): Promise<{ ms: number; reads: number; tookMs: number }> {
  const begun = performance.now();
  const [ms, { reads = 0 }] = await Promise.all([stage.cpuMs(), databaseReading(stage.db)]);
  await work();
  const [later, { reads: laterReads = 0 }] = await Promise.all([stage.cpuMs(), databaseReading(stage.db)]);
  return { ms: later - ms, reads: laterReads - reads, tookMs: performance.now() - begun };
}

async function newest(db: Db, collection: string, filter: Document): Promise<Document> {
  const found = await db.collection(collection).findOne(filter, { sort: { _id: -1 } });
  if (!found) throw new Error(`there is nothing like that in ${collection}`);
  return found;
}
