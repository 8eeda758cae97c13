import { type Db, ObjectId } from 'mongodb';
import { collections, migrations } from '../../src/collections.js';
import { connectDatabase } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { createLog } from '../../src/core/observability/log.js';
import { type Person } from '../../test/support/api.js';
import { type Latencies } from './reactions.js';
import { type Stage } from './stage.js';
import { type Town } from './town.js';

const PASSWORD = 'the password of a whole town';
/** Fewer than the limit of the route, whose count starts anew after them. */
const ASKS_IN_A_ROW = 8;

export interface Asked {
  atrium: Latencies;
  floor: Latencies;
  /** Processor time of the API process for one answer, in milliseconds. */
  cpuMs: number;
}

interface Hub {
  _id: ObjectId;
  person: Person;
}

/** Fills an empty database; the product's own migrations make the indexes then, and what follows from connections. */
export async function settle(town: Town, uri: string): Promise<void> {
  const database = await connectDatabase(uri);
  try {
    await town.write(database.db);
    await migrate({ database, owner: 'bench', collections, migrations, log: createLog('warn') });
  } finally {
    await database.close();
  }
}

/** People one may know, asked for by those who know many. */
export class Suggestions {
  private constructor(
    private readonly stage: Stage,
    private readonly hubs: Hub[],
  ) {}

  /** Those with many connections sign in, with the password of someone who has registered. */
  static async prepare(stage: Stage, town: Town): Promise<Suggestions> {
    const someone = await stage.server().register({ password: PASSWORD });
    const credentials = stage.db.collection('credentials');
    const theirs = await credentials.findOne({ _id: new ObjectId(someone.id) });
    const hubs: Hub[] = [];
    for (const { _id, email } of town.hubs) {
      await credentials.insertOne({ ...theirs, _id });
      hubs.push({ _id, person: await stage.server().signIn(email, PASSWORD) });
    }
    return new Suggestions(stage, hubs);
  }

  /** One request at a time, each beside a plain read of the same user's connections: noise falls on both. */
  async run(): Promise<Asked> {
    const { db } = this.stage;
    const [atrium, floor]: [number[], number[]] = [[], []];
    const before = await this.stage.cpuMs();
    for (let ask = 0; ask < ASKS_IN_A_ROW; ask += 1) {
      for (const { _id, person } of this.hubs) {
        atrium.push(await timed(() => suggest(person)));
        floor.push(await timed(() => connectionsOf(db, _id)));
      }
    }
    const cpuMs = ((await this.stage.cpuMs()) - before) / atrium.length;
    await db.collection('rateLimits').deleteMany({});
    return { atrium: { took: atrium, overdue: 0 }, floor: { took: floor, overdue: 0 }, cpuMs };
  }
}

async function suggest(person: Person): Promise<void> {
  const answer = await person.get('/connections/suggestions');
  const { data = [] } = answer.body as { data?: unknown[] };
  if (data.length === 0) throw new Error(`nobody was suggested: ${JSON.stringify(answer.body)}`);
}

async function connectionsOf(db: Db, userId: ObjectId): Promise<void> {
  const status = 'accepted';
  const $or = [
    { low: userId, status },
    { high: userId, status },
  ];
  await db.collection('connections').find({ $or }, { batchSize: 1_000 }).toArray();
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
