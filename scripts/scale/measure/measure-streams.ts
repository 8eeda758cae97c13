import { setTimeout as pause } from 'node:timers/promises';
import { type ChangeStream, type Db, type Document, MongoClient, ObjectId } from 'mongodb';
import { startEmbedded } from '../../../src/core/database/embedded/index.js';
import { createLog } from '../../../src/core/observability/log.js';
import { processorMs } from '../../bench/processes.js';

/** What reading streams costs the database, in microseconds of its processor for each document that is written. */
export interface StreamCosts {
  /** One document written, with nobody reading. */
  written: number;
  /** More for each stream that brings it. */
  brought: number;
  /** More for each stream whose filter is a collection of another name. */
  otherCollection: number;
  /** More for each stream that leaves it out by one of 5,000 ids of users in it, a node's own. */
  otherUser: number;
  /** What the primary pays where the streams are read from a secondary, for each stream that brings it. */
  broughtBySecondary: number;
}

const DOCUMENTS = 2_000;
/** Written together: at a busy moment commits come so. */
const TOGETHER = 5;
const STREAMS = 6;
const USERS_OF_A_NODE = 5_000;
const SOON_MS = 5;
const SETTLE_MS = 1_000;
const ROUNDS = 2;

/** Of the rounds the one with the least: whatever else the machine does only adds. */
async function least(work: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await work());
  return Math.min(...all);
}

/** Measures by plain inserts of documents like events, with none and several streams open. */
export async function measureStreams(progress: (text: string) => void): Promise<StreamCosts> {
  const ids = Array.from({ length: USERS_OF_A_NODE }, () => new ObjectId().toHexString());
  const all = { operationType: 'insert', 'ns.coll': 'events' };
  const kinds = {
    brought: all,
    otherCollection: { operationType: 'insert', 'ns.coll': 'nothing' },
    otherUser: { ...all, 'fullDocument.audience.userIds': { $in: ids } },
  };
  const alone = await onDatabase(1, async (db, pids) => {
    progress('streams: nobody reads');
    const none = await least(() => perDocument(db, pids, [], false));
    const more: Record<string, number> = {};
    for (const [name, match] of Object.entries(kinds)) {
      progress(`streams: ${STREAMS} of the kind ${name}`);
      const streams = Array.from({ length: STREAMS }, () => watch(db, match));
      more[name] = ((await least(() => perDocument(db, pids, streams, name === 'brought'))) - none) / STREAMS;
      await Promise.all(streams.map((stream) => stream.close()));
    }
    return { written: none, ...(more as Record<keyof typeof kinds, number>) };
  });
  const broughtBySecondary = await onDatabase(3, async (db, pids) => {
    progress('streams: a set of three, read from a secondary');
    const [primary] = pids as [number];
    const none = await least(() => perDocument(db, [primary], [], false));
    const reader = db.client.db(db.databaseName, { readPreference: 'secondary' });
    const streams = Array.from({ length: STREAMS }, () => watch(reader, all));
    const with6 = await least(() => perDocument(db, [primary], streams, true));
    await Promise.all(streams.map((stream) => stream.close()));
    return (with6 - none) / STREAMS;
  });
  return { ...alone, broughtBySecondary };
}

async function onDatabase<T>(members: number, work: (db: Db, pids: readonly number[]) => Promise<T>): Promise<T> {
  const database = await startEmbedded({ log: createLog('silent'), fallbackAllowed: true, members });
  const client = await MongoClient.connect(database.uri, { writeConcern: { w: 'majority' }, maxPoolSize: 50 });
  try {
    await client.db().createCollection('events');
    return await work(client.db(), await primaryFirst(client, database.uri, database.pids));
  } finally {
    await client.close();
    await database.stop();
  }
}

/** The members' process ids in the order of the address, the primary's first. */
async function primaryFirst(client: MongoClient, uri: string, pids: readonly number[]): Promise<number[]> {
  const { primary = '' } = (await client.db('admin').command({ hello: 1 })) as { primary?: string };
  const hosts = new URL(uri.replace(/,[^/]*/, '')).host;
  const all = (/\/\/([^/]+)\//.exec(uri)?.[1] ?? hosts).split(',');
  const at = Math.max(0, all.indexOf(primary));
  return [pids[at] ?? 0, ...pids.filter((_, index) => index !== at)];
}

interface Watched {
  seen: number;
  close(): Promise<void>;
}

function watch(db: Db, match: Document): Watched {
  const project = { $project: { operationType: 1, ns: 1, fullDocument: 1 } };
  const stream: ChangeStream = db.watch([{ $match: match }, project]);
  const watched: Watched = { seen: 0, close: () => stream.close() };
  void (async () => {
    try {
      for await (const change of stream) watched.seen += change.operationType === 'insert' ? 1 : 0;
    } catch {
      // Closed while it was waiting.
    }
  })();
  return watched;
}

async function perDocument(
  db: Db,
  pids: readonly number[],
  streams: readonly Watched[],
  isBrought: boolean,
): Promise<number> {
  const events = db.collection('events');
  const insert = (count: number): Promise<unknown> =>
    events.insertMany(Array.from({ length: count }, () => eventLike()));
  // A stream brings what was written since it was open on the server, which is some time after it was asked for.
  do await insert(TOGETHER);
  while (
    isBrought &&
    (await pause(
      SOON_MS,
      streams.some(({ seen }) => seen === 0),
    ))
  );
  await pause(SETTLE_MS);
  const seen = streams.map((stream) => stream.seen);
  const before = await processorMs(pids);
  for (let written = 0; written < DOCUMENTS; written += TOGETHER) await insert(TOGETHER);
  if (isBrought) {
    const end = performance.now() + 60_000;
    const isBehind = (): boolean => streams.some((stream, at) => stream.seen < (seen[at] ?? 0) + DOCUMENTS);
    while (isBehind() && performance.now() < end) await pause(SOON_MS);
    if (isBehind()) throw new Error('a stream did not bring everything');
  }
  return (((await processorMs(pids)) - before) / DOCUMENTS) * 1_000;
}

/** As large as the event of a reaction. */
function eventLike(): Document {
  return {
    type: 'post.reacted',
    at: new Date(),
    actorId: new ObjectId().toHexString(),
    entity: { kind: 'post', id: new ObjectId().toHexString() },
    audience: { userIds: [new ObjectId().toHexString()], postId: new ObjectId().toHexString() },
    data: { authorId: new ObjectId().toHexString(), type: 'LIKE', excerpt: 'What does it take to be heard at once?' },
    requestId: '0d1f3c52-64a4-4f3a-9d3c-6f6f2d1c8a11',
  };
}
