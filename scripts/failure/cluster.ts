import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { type Edge, startEdge } from '../../test/edge/index.js';
import { type ProcessNode, spawnNode } from '../../test/support/process-node.js';
import { until } from '../../test/support/until.js';
import { type HandedOver } from '../load/verify/index.js';
import { ReplicaSet } from './replica-set.js';

export interface ClusterOptions {
  members: number;
  apis: number;
  workers: number;
  /** How long leases and claims hold, in seconds. */
  leaseSeconds: number;
  claimSeconds: number;
  /** Settings beside these. */
  env?: Record<string, string>;
}

/** One place for a process, which dies and comes again at the same address. */
export interface Place {
  name: string;
  role: 'api' | 'worker';
  url: string;
  node: ProcessNode;
}

const OPLOG_MB = 24;
const READY_MS = 60_000;
/** Characters of an error that are shown. */
const MOST_SAID = 1_200;

/** A small production: a replica set behind proxies, API nodes, workers, and real providers at the outer edge. */
export class Cluster {
  private constructor(
    readonly set: ReplicaSet,
    readonly edge: Edge,
    readonly places: readonly Place[],
    private readonly env: Readonly<Record<string, string>>,
    private readonly dataDir: string,
    /** Every process that was ever started. */
    private readonly started: ProcessNode[],
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const set = await ReplicaSet.start({ members: options.members, oplogMb: OPLOG_MB });
    const dataDir = await mkdtemp(join(tmpdir(), 'atrium-failure-'));
    const edge = await startEdge({ folder: dataDir });
    const env = environment(options, edge, dataDir);
    const started: ProcessNode[] = [];
    const open = async (name: string): Promise<Place> => {
      const role = name.startsWith('api') ? 'api' : 'worker';
      const port = await freePort();
      const node = await spawnNode({ ...env, ROLE: role, PORT: String(port), MONGODB_URI: set.uri(name) });
      started.push(node);
      return { name, role, node, url: `http://localhost:${port}` };
    };
    const names = [...named('worker', options.workers), ...named('api', options.apis)];
    const places = await Promise.all(names.map(open));
    return new Cluster(set, edge, places, env, dataDir, started);
  }

  /** The nodes that serve. */
  get urls(): string[] {
    return this.of('api').map(({ url }) => url);
  }

  of(role: Place['role']): Place[] {
    return this.places.filter((place) => place.role === role);
  }

  /** The worker that holds the reactor's lease. */
  async leader(): Promise<Place> {
    const workers = this.of('worker');
    const { owner } = await until(
      () => this.consumer(),
      ({ owner: name }) => workers.some(({ node }) => name.includes(`-${node.pid}-`)),
      READY_MS,
    );
    return workers.find(({ node }) => owner.includes(`-${node.pid}-`)) ?? this.missing('worker');
  }

  /** How often the reactor's lease has passed on. */
  async epoch(): Promise<number> {
    return (await this.consumer()).epoch;
  }

  /** Starts a process again where one has ended. */
  async startAgain(place: Place): Promise<void> {
    const { name, role, url } = place;
    const own = { ROLE: role, PORT: new URL(url).port, MONGODB_URI: this.set.uri(name) };
    place.node = await spawnNode({ ...this.env, ...own });
    this.started.push(place.node);
  }

  /** Waits until every process says that it is in order; answers with how long that took, in milliseconds. */
  async ready(): Promise<number> {
    const begun = performance.now();
    await this.set.whole();
    for (const { url } of this.places) await until(() => isReady(url), Boolean, READY_MS);
    await this.leader();
    return performance.now() - begun;
  }

  /** How often something was said in the logs of all processes that ever ran. */
  said(message: string): number {
    return this.started.flatMap(({ log }) => log).filter(({ msg }) => msg === message).length;
  }

  /** What went wrong in the processes that nobody had foreseen, as their logs say it. */
  unforeseen(): string[] {
    const failed = this.started.flatMap(({ log }) => log).filter(({ code }) => code === 'INTERNAL_ERROR');
    return failed.map(({ msg, err }) => `${String(msg)}: ${JSON.stringify(err).slice(0, MOST_SAID)}`);
  }

  handedOver(): HandedOver {
    return {
      email: this.edge.smtp.received.flatMap(({ messageId = '' }) => /^<([0-9a-f]{24})@/.exec(messageId)?.[1] ?? []),
      mobilePush: this.edge.fcm.received.flatMap(({ message }) => message.data?.['notificationId'] ?? []),
    };
  }

  /** Stops every process in good order; answers with those that did not end so. */
  async stopProcesses(): Promise<string[]> {
    const wrong: string[] = [];
    for (const { name, node } of this.places) {
      const ended = await node.terminate();
      if (ended !== 0) wrong.push(`${name} ended with ${ended}`);
    }
    for (const node of this.started) if (node.ended === undefined) wrong.push(`process ${node.pid} still runs`);
    return wrong;
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((node) => node.kill()));
    await this.edge.stop();
    await this.set.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private async consumer(): Promise<{ owner: string; epoch: number }> {
    const consumers = this.set.db.collection<{ _id: string; owner: string | null; epoch: number }>('consumers');
    const row = await consumers.findOne({ _id: 'reactor' }).catch(() => null);
    return { owner: row?.owner ?? '', epoch: row?.epoch ?? 0 };
  }

  private missing(what: string): never {
    throw new Error(`there is no ${what}`);
  }
}

function named(role: Place['role'], count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
}

function environment(
  { leaseSeconds, claimSeconds, env = {} }: ClusterOptions,
  { smtp, fcm }: Edge,
  dataDir: string,
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    PUBLIC_URL: 'https://campus.test',
    REQUESTS_PER_MINUTE: '0',
    PASSWORD_MEMORY_KIB: '64',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Atrium <no-reply@campus.test>',
    FCM_SERVICE_ACCOUNT: JSON.stringify(fcm.serviceAccount()),
    FCM_ENDPOINT: fcm.endpoint,
    EXTRA_CA_FILE: join(dataDir, 'development-ca.pem'),
    LEASE_SECONDS: String(leaseSeconds),
    CLAIM_SECONDS: String(claimSeconds),
    SWEEP_SECONDS: '2',
    ...env,
  };
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
