import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Binary, type Db, MongoClient } from 'mongodb';
import { type Config, readConfig } from '../../src/config.js';
import { type Listener } from '../../src/core/events/listener.js';
import { createLog } from '../../src/core/observability/log.js';
import { type AtriumNode, startNode } from '../../src/node.js';
import { type Edge, startEdge } from '../edge/index.js';
import { Api, type Person, type NewPerson } from './api.js';
import { MovableClock } from './clock.js';
import { giveBackDatabase, serverUri, takeDatabase } from './databases.js';
import { type ProcessNode, spawnNode } from './process-node.js';

export interface NodeChoices {
  /** Environment variables beside those that every test node gets. */
  env?: Record<string, string>;
  listeners?: Listener[];
  followers?: Listener[];
  /** Whether requests begin traces, where the test has them exported. */
  traced?: boolean;
}

/** For tests that wait for what only a sweep finds: what is to be tried again, and what others left behind. */
export const SWEPT_OFTEN = { SWEEP_SECONDS: '1' };

/** For workers that are killed: others take over soon what they had claimed. */
export const MORTAL = { CLAIM_SECONDS: '8' };

/** For tests in which nobody looks into a mailbox: none of the mails is made that everyone gets who registers. */
export const WITHOUT_MAIL = { SMTP_URL: '' };

/** For tests of answers alone: nothing follows on what is done, and no mail is sent for everyone who registers. */
export const WITHOUT_WORKERS = { ROLE: 'api' };

/**
 * A campus of a test's own: a fresh database, real servers at the outer edge, and as many nodes as the test starts,
 * in this process or in others. Closing it stops and removes all of it.
 */
export class Campus {
  readonly clock = new MovableClock();
  private readonly nodes: AtriumNode[] = [];
  private readonly processes: ProcessNode[] = [];

  private constructor(
    readonly uri: string,
    readonly client: MongoClient,
    readonly edge: Edge,
    readonly dataDir: string,
    private readonly env: Record<string, string>,
  ) {}

  /**
   * @param env environment variables of all its nodes, beside those that every test node gets
   * @param database its name
   */
  static async open(env: Record<string, string> = {}, database = takeDatabase()): Promise<Campus> {
    const uri = new URL(serverUri());
    uri.pathname = `/${database}`;
    // The server knows by it whose sessions are whose.
    uri.searchParams.set('appName', database);
    const dataDir = await mkdtemp(join(tmpdir(), 'atrium-test-'));
    const client = await MongoClient.connect(uri.href);
    return new Campus(uri.href, client, await startEdge({ folder: dataDir }), dataDir, env);
  }

  /** The database as it is, for looking at what a test cannot see otherwise and for breaking things. */
  get db(): Db {
    return this.client.db();
  }

  /** Starts a node in this process: quick, and with this campus' clock. */
  async startNode({ env = {}, listeners = [], followers = [], traced = false }: NodeChoices = {}): Promise<Api> {
    const config = this.config(env);
    const log = createLog(process.env['TEST_LOG_LEVEL'] ?? 'silent');
    const { clock, uri } = this;
    const node = await startNode({ config, uri, log, version: '0.0.0-test', clock, listeners, followers, traced });
    this.nodes.push(node);
    return new Api(node.url);
  }

  /** Starts a node in a process of its own, which can be killed. */
  async startProcess({ env = {} }: NodeChoices = {}): Promise<ProcessNode> {
    const node = await spawnNode({ ...this.environment(), ...MORTAL, MONGODB_URI: this.uri, ...env });
    this.processes.push(node);
    return node;
  }

  /** Stops the nodes of this process, in order; what they had at hand is finished. */
  async stopNodes(): Promise<void> {
    for (const node of this.nodes.splice(0)) await node.stop();
  }

  /** As if no event had been handled yet: the nodes that are started next handle all of them a second time. */
  async forgetWhatWasHandled(): Promise<void> {
    await this.db.collection<{ _id: string }>('consumers').deleteMany({ _id: { $in: ['reactor', 'follower'] } });
  }

  /** Ends what killed processes left open on the server: it would keep their locks for a minute, and the test waiting. */
  async forgetTheDead(): Promise<void> {
    const admin = this.client.db('admin');
    const left = await admin
      .aggregate<{ lsid: { id: Binary } }>([
        { $currentOp: { allUsers: true, idleSessions: true } },
        { $match: { type: 'idleSession', appName: this.db.databaseName, lsid: { $exists: true } } },
      ])
      .toArray();
    // Of no other campus: its tests run at the same time.
    if (left.length > 0) await admin.command({ killSessions: left.map(({ lsid: { id } }) => ({ id })) });
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((node) => node.kill()));
    if (this.processes.length > 0) await this.forgetTheDead();
    await this.stopNodes();
    await this.edge.stop();
    // What a killed process has left open would hold up whoever comes next.
    if (this.processes.length > 0) await this.db.dropDatabase();
    else await giveBackDatabase(this.db);
    await this.client.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The settings of a test node: everything real, only nearer and quicker. */
  environment(): Record<string, string> {
    const { smtp, fcm } = this.edge;
    return {
      NODE_ENV: 'test',
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      DATA_DIR: this.dataDir,
      PUBLIC_URL: 'https://campus.test',
      REQUESTS_PER_MINUTE: '0',
      // A machine that is busy with other tests makes everything late; who looks at that sets the real figure.
      OVERLOAD_MS: '0',
      // Hashing is most of what registering costs; tests of passwords set the real figure.
      PASSWORD_MEMORY_KIB: '64',
      SMTP_URL: smtp.url,
      MAIL_FROM: 'Atrium <no-reply@campus.test>',
      FCM_SERVICE_ACCOUNT: JSON.stringify(fcm.serviceAccount()),
      FCM_ENDPOINT: fcm.endpoint,
      EXTRA_CA_FILE: join(this.dataDir, 'development-ca.pem'),
      // A claim that runs out while a machine is busy with other tests would rightly mean a second copy.
      CLAIM_SECONDS: '60',
      LEASE_SECONDS: '3',
      SWEEP_SECONDS: '5',
      ADMIN_EMAIL: 'admin@campus.test',
      ADMIN_PASSWORD: 'an admin of the tests',
      ...this.env,
    };
  }

  private config(env: Record<string, string>): Config {
    return readConfig({ ...this.environment(), ...env });
  }
}

export { Api, type NewPerson, type Person };
