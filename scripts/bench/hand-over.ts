import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Db, ObjectId } from 'mongodb';
import { loadOrCreateAuthority, SendGridEdge } from '../../test/edge/index.js';
import { type Person } from '../../test/support/api.js';
import { type Rate } from './batches.js';
import { atRate, until, wallClock } from './pace.js';
import { type Latencies } from './reactions.js';
import { type Stage } from './stage.js';

const PATIENCE_MS = 60_000;
export const PER_CALL = 1_000;
/** So many calls follow each other before somebody is told again. */
const DIFFERENT_CALLS = 8;

/** When the provider got the call that a notification went in, by its id. */
type Arrivals = Map<string, number>;

/** Notifications through to a provider that takes a thousand in a call: SendGrid's API, in this process. */
export class HandOver {
  private readonly arrivals: Arrivals = new Map();

  private constructor(
    private readonly stage: Stage,
    private readonly admin: Person,
    private readonly edge: SendGridEdge,
    readonly recipientIds: readonly string[],
  ) {
    edge.onReceived(({ mail }) => {
      const now = wallClock();
      for (const { custom_args } of mail.personalizations) {
        const id = custom_args?.['notificationId'];
        if (id !== undefined) this.arrivals.set(id, now);
      }
    });
  }

  /** Starts the provider, and the worker anew with it. */
  static async prepare(stage: Stage): Promise<HandOver> {
    const edge = new SendGridEdge(await loadOrCreateAuthority(stage.dataDir));
    await edge.start();
    const admin = await stage.admin();
    const handOver = new HandOver(stage, admin, edge, await stage.writeUsers(DIFFERENT_CALLS * PER_CALL));
    await stage.startWorker(handOver.environment());
    return handOver;
  }

  /** What a worker needs to hand over to this provider. */
  environment(): Record<string, string> {
    const { apiKey, url } = this.edge;
    return {
      SENDGRID_API_KEY: apiKey,
      SENDGRID_BASE_URL: url,
      EXTRA_CA_FILE: join(this.stage.dataDir, 'development-ca.pem'),
      MAIL_FROM: 'Atrium <no-reply@bench.example>',
    };
  }

  /** From the first call, to a thousand others each, until the provider has taken all of it. */
  async rate(calls: number, atOnce: number): Promise<Rate> {
    this.arrivals.clear();
    const limit = pLimit(atOnce);
    const before = await this.stage.processorTime();
    const start = performance.now();
    await Promise.all(Array.from({ length: calls }, (_, index) => limit(() => this.notify(index, PER_CALL))));
    await until(() => this.arrivals.size >= calls * PER_CALL, PATIENCE_MS);
    const seconds = (performance.now() - start) / 1_000;
    const after = await this.stage.processorTime();
    const each = Object.entries(after).map(([kind, ms]) => [kind, (ms - (before[kind] ?? 0)) / (calls * PER_CALL)]);
    return {
      perSecond: this.arrivals.size / seconds,
      overdue: calls * PER_CALL - this.arrivals.size,
      processorMs: Object.fromEntries(each) as Record<string, number>,
    };
  }

  /** From a notification's creation, by its own account, to the provider, while so many a second are made. */
  async latency(perSecond: number, perCall: number, seconds: number): Promise<Latencies> {
    this.arrivals.clear();
    const expected = perSecond * seconds;
    await atRate(perSecond / perCall, seconds, (index) => {
      this.notify(index, perCall).catch((error: unknown) => console.error(error));
    });
    await until(() => this.arrivals.size >= expected, PATIENCE_MS);
    return { took: await tookFrom(this.stage.db, this.arrivals), overdue: expected - this.arrivals.size };
  }

  async end(): Promise<void> {
    await this.edge.stop();
  }

  private async notify(index: number, count: number): Promise<void> {
    const from = (index * count) % this.recipientIds.length;
    const userIds = this.recipientIds.slice(from, from + count);
    const title = `The lecture begins at ten, notice ${index}`;
    const answer = await this.admin.post('/notifications', { userIds, type: 'SYSTEM', title, body: 'In hall 4.' });
    if (answer.status !== 202) throw new Error(`a batch was refused: ${JSON.stringify(answer.body)}`);
  }
}

async function tookFrom(db: Db, arrivals: Arrivals): Promise<number[]> {
  const created = await db
    .collection<{ _id: ObjectId; createdAt: Date }>('notifications')
    .find({ _id: { $in: [...arrivals.keys()].map((id) => new ObjectId(id)) } }, { projection: { createdAt: 1 } })
    .toArray();
  return created.map(({ _id, createdAt }) => (arrivals.get(_id.toHexString()) ?? 0) - createdAt.getTime());
}
