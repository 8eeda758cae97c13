import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, type Document, MongoClient } from 'mongodb';
import { findMongod } from '../../src/core/database/embedded/find-mongod.js';
import { prepareReplicaSet } from '../../src/core/database/embedded/initiate.js';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { guard, signal } from '../../src/core/database/embedded/processes.js';
import { type SupervisedMongod, superviseMongod } from '../../src/core/database/embedded/supervise.js';
import { createLog } from '../../src/core/observability/log.js';
import { until } from '../../test/support/until.js';
import { TcpProxy, type Trouble } from './tcp-proxy.js';

export interface ReplicaSetOptions {
  members: number;
  /** Small enough to be filled, in MB. */
  oplogMb: number;
}

interface Member {
  mongod: SupervisedMongod;
  proxy: TcpProxy;
}

const DATABASE = 'failure';
const JUNK = 'junk';
const JUNK_BYTES = 1024 * 1024;
const PARAMETERS = ['minSnapshotHistoryWindowInSeconds=0'];
const FAIL_OVER_MS = 60_000;

/**
 * A replica set whose members know each other, and are known to everyone else, by the addresses of proxies: all that is
 * said to a member and between them can be cut. A member that dies is started again.
 */
export class ReplicaSet {
  private constructor(
    private readonly members: readonly Member[],
    private readonly setName: string,
    private readonly own: MongoClient,
    private readonly remove: () => Promise<void>,
  ) {}

  static async start({ members: count, oplogMb }: ReplicaSetOptions): Promise<ReplicaSet> {
    const log = createLog('silent');
    const binary = await findMongod({ log, fallbackAllowed: process.env['ATRIUM_MONGOD_FALLBACK'] !== 'off' });
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'atrium-failure-')));
    const setName = `failure-${randomBytes(4).toString('hex')}`;
    const members: Member[] = [];
    const pids = new Map<number, number>();
    let callOff = (): void => undefined;
    for (let at = 0; at < count; at += 1) {
      const dbPath = join(folder, String(at), 'db');
      const options = { binary, dbPath, port: await freePort(), setName, parameters: PARAMETERS, oplogMb, log };
      const mongod = await superviseMongod(options, (pid) => {
        pids.set(at, pid);
        callOff();
        callOff = guard([...pids.values()], 'KILL', folder);
      });
      members.push({ mongod, proxy: await TcpProxy.start(await freePort(), mongod.port) });
    }
    await Promise.all(members.map(({ mongod }) => mongod.listening()));
    const ports = members.map(({ proxy }) => proxy.port);
    await prepareReplicaSet(setName, ports);
    // It finds out as soon as the product does that a member is gone.
    const client = await MongoClient.connect(uriFor(ports, setName, 'suite'), {
      heartbeatFrequencyMS: 1_000,
      connectTimeoutMS: 3_000,
      // A hung member keeps its connections: the suite is to say so, not to hang with it.
      socketTimeoutMS: 30_000,
    });
    const remove = async (): Promise<void> => {
      callOff();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    };
    return new ReplicaSet(members, setName, client, remove);
  }

  /** As a client of this name is to connect. */
  uri(client: string): string {
    return uriFor(
      this.members.map(({ proxy }) => proxy.port),
      this.setName,
      client,
    );
  }

  get db(): Db {
    return this.own.db();
  }

  get pids(): number[] {
    return this.members.map(({ mongod }) => mongod.pid);
  }

  /** Ends the primary with kill -9. */
  async killPrimary(): Promise<void> {
    const { mongod, proxy } = await this.primary();
    signal(mongod.pid, 'SIGKILL');
    // Any kernel closes what a dead process had open; Wine's server keeps some of it, and nobody would be told.
    proxy.cut();
  }

  /** Sends a signal to the primary, and answers how to send that same process another one. */
  async signalPrimary(name: NodeJS.Signals): Promise<(name: NodeJS.Signals) => void> {
    const { pid } = (await this.primary()).mongod;
    signal(pid, name);
    return (next) => signal(pid, next);
  }

  /** Makes trouble on the ways of some clients to every member. */
  begin(trouble: Trouble, of: (client: string) => boolean): void {
    for (const { proxy } of this.members) proxy.begin(trouble, of);
  }

  /** Cuts the primary off from everyone, the other members included. */
  async isolatePrimary(trouble: Trouble): Promise<void> {
    (await this.primary()).proxy.begin(trouble, () => true);
  }

  heal(): void {
    for (const { proxy } of this.members) proxy.heal();
  }

  /** Waits until the set takes writes, and every member is there. */
  async whole(): Promise<void> {
    await until(
      () => this.states().catch(() => []),
      (states) =>
        states.length === this.members.length &&
        states.filter((state) => state === 'PRIMARY').length === 1 &&
        states.every((state) => state === 'PRIMARY' || state === 'SECONDARY'),
      FAIL_OVER_MS,
    );
  }

  /** Ends one member after the other in good order; each is back before the next one goes. */
  async restartAll(): Promise<void> {
    for (const { mongod } of this.members) {
      const { pid } = mongod;
      signal(pid, 'SIGINT');
      await until(() => mongod.pid !== pid, Boolean, FAIL_OVER_MS);
      await this.whole();
    }
  }

  /** Writes until nothing of the server's history is left that is older than this moment. */
  async forgetHistory(): Promise<void> {
    const since = Date.now();
    const junk = this.own.db(JUNK).collection('junk', { writeConcern: { w: 'majority' } });
    const filling = 'x'.repeat(JUNK_BYTES);
    await until(
      async () => {
        await junk.insertMany(Array.from({ length: 8 }, () => ({ filling })));
        const [oldest] = await this.own
          .db('local')
          .collection('oplog.rs')
          .find()
          .sort({ $natural: 1 })
          .limit(1)
          .toArray();
        const wall = oldest?.['wall'] as Date | undefined;
        return wall !== undefined && wall.getTime() > since;
      },
      Boolean,
      FAIL_OVER_MS,
    );
    await this.own.db(JUNK).dropDatabase();
  }

  async stop(): Promise<void> {
    await this.own.close();
    await Promise.all(this.members.map(({ mongod }) => mongod.stop('at once')));
    await Promise.all(this.members.map(({ proxy }) => proxy.stop()));
    await this.remove();
  }

  private async primary(): Promise<Member> {
    const { primary } = (await this.own.db('admin').command({ hello: 1 })) as { primary?: string };
    const found = this.members.find(({ proxy }) => primary?.endsWith(`:${proxy.port}`));
    if (!found) throw new Error('the set has no primary');
    return found;
  }

  private async states(): Promise<string[]> {
    const status = await this.own.db('admin').command({ replSetGetStatus: 1 });
    return (status['members'] as Document[]).map(({ ['stateStr']: state }) => String(state));
  }
}

function uriFor(ports: readonly number[], setName: string, client: string): string {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return `mongodb://${hosts}/${DATABASE}?replicaSet=${setName}&appName=${client}`;
}
