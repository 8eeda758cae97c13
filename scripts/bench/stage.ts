import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, MongoClient, ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';
import { Api, type LiveSocket, type Person } from '../../test/support/api.js';
import { FLOOR } from './floor-collections.js';
import { RAW } from './raw-inserts.js';
import { type Started, startAtrium } from './processes.js';

/** Someone with an open socket. */
export interface Connected {
  person: Person;
  socket: LiveSocket;
}

const AT_ONCE = 8;
const ADMIN = { email: 'admin@bench.example', password: 'the admin of the benchmark' };

/**
 * What is measured on: a throwaway database of its own, one API process and one worker process in production mode,
 * and in this process, which is the clients, an open socket for everyone who is signed in.
 */
export class Stage {
  readonly people: Connected[] = [];
  /** Everyone who can be sent to: those above, and accounts that nobody is signed in to. */
  readonly recipientIds: string[] = [];
  private readonly furtherApis: Started[] = [];
  private worker: Started | undefined;
  private secondWorker: Started | undefined;

  private constructor(
    readonly uri: string,
    private readonly client: MongoClient,
    private readonly dataDir: string,
    private readonly profileDir: string | undefined,
    private readonly stopDatabase: () => Promise<void>,
  ) {}

  private api: Started | undefined;

  /** @param settle fills the database before anything else uses it */
  static async open(profileDir?: string, settle?: (uri: string) => Promise<void>): Promise<Stage> {
    const database = await startEmbedded({ log: createLog('warn'), fallbackAllowed: true });
    await settle?.(database.uri);
    const client = await MongoClient.connect(database.uri, { writeConcern: { w: 'majority' } });
    const dataDir = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
    const stage = new Stage(database.uri, client, dataDir, profileDir, () => database.stop());
    // One after the other, before anyone else is there: the last-resort build of mongod does not bear less.
    for (const name of [...Object.values(FLOOR), ...Object.values(RAW)]) await stage.db.createCollection(name);
    await stage.startWorker({});
    stage.api = await startAtrium(stage.environment('api'), profileDir);
    return stage;
  }

  get db(): Db {
    return this.client.db();
  }

  /** Processor time that the API process has used, in milliseconds, by its own account. */
  async cpuMs(): Promise<number> {
    const metrics = await (await fetch(`${this.server().url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]) * 1_000;
  }

  server(): Api {
    if (!this.api) throw new Error('the API process was not started');
    return new Api(this.api.url);
  }

  admin(): Promise<Person> {
    return this.server().signIn(ADMIN.email, ADMIN.password);
  }

  /** Starts the worker, in place of the one that runs. */
  async startWorker(env: Record<string, string>): Promise<void> {
    await this.worker?.stop();
    this.worker = await startAtrium({ ...this.environment('worker'), ...env }, this.profileDir);
  }

  /** Starts another API node beside the one that runs. */
  async startFurtherApi(): Promise<void> {
    this.furtherApis.push(await startAtrium(this.environment('api'), this.profileDir));
  }

  /** All API nodes. */
  servers(): Api[] {
    return [this.server(), ...this.furtherApis.map(({ url }) => new Api(url))];
  }

  /** Starts another worker beside it. */
  async startSecondWorker(): Promise<void> {
    this.secondWorker = await startAtrium(this.environment('worker'), this.profileDir);
  }

  /** Kills the worker whose process has this number; answers whether it is one of them. */
  async killWorker(pid: number): Promise<boolean> {
    const worker = [this.worker, this.secondWorker].find((each) => each?.pid === pid);
    await worker?.kill();
    return worker !== undefined;
  }

  /** Registers so many people and opens their sockets; further recipients are written as they would be. */
  async populate(connected: number, recipients: number): Promise<void> {
    const api = this.server();
    const limit = pLimit(AT_ONCE);
    await Promise.all(
      Array.from({ length: connected }, () =>
        limit(async () => {
          const person = await api.register();
          this.people.push({ person, socket: await person.connect('/notifications') });
        }),
      ),
    );
    const users = this.db.collection('users');
    const [template] = await users.find({ role: 'student' }).limit(1).toArray();
    const others = Array.from({ length: recipients - connected }, (_, index) => ({
      ...template,
      _id: new ObjectId(),
      email: `recipient-${index}@bench.example`,
    }));
    if (others.length > 0) await users.insertMany(others);
    this.recipientIds.push(
      ...this.people.map(({ person }) => person.id),
      ...others.map(({ _id }) => _id.toHexString()),
    );
  }

  async close(): Promise<void> {
    for (const { person } of this.people) person.disconnect();
    await this.api?.stop();
    for (const api of this.furtherApis) await api.stop();
    await this.worker?.stop();
    await this.secondWorker?.stop();
    await this.client.close();
    await this.stopDatabase();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The settings of a small production installation; only the global request limit is lifted. */
  private environment(role: 'api' | 'worker'): Record<string, string> {
    this.keys ??= `bench:${randomBytes(32).toString('hex')}`;
    return {
      NODE_ENV: 'production',
      ROLE: role,
      PORT: '0',
      HOST: '127.0.0.1',
      MONGODB_URI: this.uri,
      DATA_DIR: this.dataDir,
      JWT_KEYS: this.keys,
      REQUESTS_PER_MINUTE: '0',
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
    };
  }

  private keys: string | undefined;
}
