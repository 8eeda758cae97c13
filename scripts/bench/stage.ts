import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, type Document, MongoClient, ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';
import { Api, type LiveSocket, type Person } from '../../test/support/api.js';
import { FLOOR } from './floor-collections.js';
import { RAW } from './raw-inserts.js';
import { processorMs, type Started, startAtrium } from './processes.js';

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
    readonly dataDir: string,
    private readonly profileDir: string | undefined,
    private readonly database: EmbeddedDatabase,
  ) {}

  private api: Started | undefined;

  /** @param settle fills the database before anything else uses it */
  static async open(profileDir?: string, settle?: (uri: string) => Promise<void>): Promise<Stage> {
    const database = await startEmbedded({ log: createLog('warn'), fallbackAllowed: true });
    await settle?.(database.uri);
    const client = await MongoClient.connect(database.uri, { writeConcern: { w: 'majority' } });
    const dataDir = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
    const stage = new Stage(database.uri, client, dataDir, profileDir, database);
    // One after the other, before anyone else is there: the last-resort build of mongod does not bear less.
    for (const name of [...Object.values(FLOOR), ...Object.values(RAW)]) await stage.db.createCollection(name);
    await stage.startWorker({});
    stage.api = await startAtrium(stage.environment('api'), profileDir);
    return stage;
  }

  get db(): Db {
    return this.client.db();
  }

  /** The process ids of the database. */
  get databasePids(): readonly number[] {
    return this.database.pids;
  }

  /** Processor time that an API process has used, in milliseconds, by its own account. */
  async cpuMs(api = this.server()): Promise<number> {
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]) * 1_000;
  }

  /** The processes that it takes, by what they are. */
  processes(): Record<string, number[]> {
    const pids = (started: (Started | undefined)[]) => started.flatMap((each) => each?.pid ?? []);
    return {
      mongod: [...this.database.pids],
      api: pids([this.api, ...this.furtherApis]),
      worker: pids([this.worker, this.secondWorker]),
      clients: [process.pid],
    };
  }

  /** Processor time that each kind of process has used, in milliseconds. */
  async processorTime(): Promise<Record<string, number>> {
    const kinds = Object.entries(this.processes()).map(
      async ([kind, pids]) => [kind, await processorMs(pids)] as const,
    );
    return Object.fromEntries(await Promise.all(kinds));
  }

  /** Memory that the API process holds, in bytes, by its own account. */
  async memoryBytes(): Promise<number> {
    const metrics = await (await fetch(`${this.server().url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]);
  }

  /** Registers so many people, who are signed in and have no sockets. */
  async register(count: number): Promise<Person[]> {
    const limit = pLimit(AT_ONCE);
    return Promise.all(Array.from({ length: count }, () => limit(() => this.server().register())));
  }

  /** Writes more documents like the newest that fits, each with something of its own, and answers with their ids. */
  async writeLike(
    collection: string,
    like: Document,
    count: number,
    own: (index: number) => Document,
  ): Promise<string[]> {
    const documents = this.db.collection(collection);
    const template = await documents.findOne(like, { sort: { _id: -1 } });
    if (!template) throw new Error(`there is nothing like that in ${collection}`);
    const written = Array.from({ length: count }, (_, index) => ({ ...template, _id: new ObjectId(), ...own(index) }));
    await documents.insertMany(written);
    return written.map(({ _id }) => _id.toHexString());
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
  async startFurtherApi(env: Record<string, string> = {}): Promise<Started> {
    const started = await startAtrium({ ...this.environment('api'), ...env }, this.profileDir);
    this.furtherApis.push(started);
    return started;
  }

  /** All API nodes. */
  servers(): Api[] {
    return [this.server(), ...this.furtherApis.map(({ url }) => new Api(url))];
  }

  /** Where the workers answer: health checks and metrics alone. */
  workerUrls(): string[] {
    return [this.worker, this.secondWorker].flatMap((each) => each?.url ?? []);
  }

  /** Stops the worker, in good order. */
  async stopWorker(): Promise<void> {
    await this.worker?.stop();
    this.worker = undefined;
  }

  /** Starts another worker beside it. */
  async startSecondWorker(env: Record<string, string> = {}): Promise<void> {
    this.secondWorker = await startAtrium({ ...this.environment('worker'), ...env }, this.profileDir);
  }

  /** The memory that the worker processes hold together, in MB, by their own account. */
  async workersMemory(): Promise<number> {
    const running = [this.worker, this.secondWorker].filter((each) => each !== undefined);
    const texts = await Promise.all(
      running.map(({ url }) =>
        fetch(`${url}/metrics`).then(
          (answer) => answer.text(),
          () => '',
        ),
      ),
    );
    const bytes = texts.map((text) => Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? 0));
    return bytes.reduce((sum, each) => sum + each, 0) / 2 ** 20;
  }

  /** What the database takes on disk, in MB. */
  async databaseSize(): Promise<number> {
    const { totalSize } = await this.db.stats();
    return (totalSize ?? 0) / 2 ** 20;
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
    const others = await this.writeUsers(recipients - connected);
    this.recipientIds.push(...this.people.map(({ person }) => person.id), ...others);
  }

  /** Writes users as registering would, and answers with their ids. */
  async writeUsers(count: number): Promise<string[]> {
    const users = this.db.collection('users');
    const [template] = await users.find({ role: 'student' }).limit(1).toArray();
    const written = Array.from({ length: count }, () => {
      const _id = new ObjectId();
      return { ...template, _id, email: `${_id.toHexString()}@bench.example` };
    });
    if (written.length > 0) await users.insertMany(written);
    return written.map(({ _id }) => _id.toHexString());
  }

  /** Stops every process but the database, in good order. */
  async stopProcesses(): Promise<void> {
    for (const { person } of this.people) person.disconnect();
    await this.api?.stop();
    for (const api of this.furtherApis) await api.stop();
    await this.worker?.stop();
    await this.secondWorker?.stop();
  }

  async close(): Promise<void> {
    await this.stopProcesses();
    await this.client.close();
    await this.database.stop();
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
