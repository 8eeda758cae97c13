import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { cleanup } from '../jobs/cleanup.js';
import { eraseUsers } from '../jobs/erase-users.js';
import { exportUser } from '../jobs/export-user.js';
import { sendNotification } from '../jobs/send-notification.js';
import { createApp } from './app.js';
import { collections, migrations } from './collections.js';
import { type Config } from './config.js';
import { type Clock, MINUTE, SECOND, systemClock } from './core/clock.js';
import { AbandonedTransactions } from './core/database/abandoned-transactions.js';
import { connectDatabase } from './core/database/database.js';
import { isUpToDate, migrate, type MigrateOptions } from './core/database/migrations.js';
import { Consumer } from './core/events/consumer.js';
import { Feed } from './core/events/feed.js';
import { type Listener } from './core/events/listener.js';
import { Outbox } from './core/events/outbox.js';
import { createIdempotency } from './core/http/idempotency.js';
import { createLimiter } from './core/http/limits.js';
import { createPager } from './core/http/paging.js';
import { Scheduler } from './core/jobs/scheduler.js';
import { type HealthCheck } from './core/observability/health.js';
import { type Log } from './core/observability/log.js';
import { createMetrics } from './core/observability/metrics.js';
import { Overload } from './core/overload.js';
import { adapterSource } from './core/realtime/adapter-stream.js';
import { Hub } from './core/realtime/hub.js';
import { bearerToken } from './core/security/bearer.js';
import { generateKeys, parseKeyRing } from './core/security/key-ring.js';
import { sharedSecret } from './core/security/secrets.js';
import { createSigner } from './core/security/signing.js';
import { databaseCheck, feedCheck, schedulerCheck } from './health-checks.js';
import { closeServer, listen } from './http-server.js';
import { createModules } from './modules.js';
import { allPersonalData } from './personal-data.js';
import { sessionWatch } from './session-watch.js';
import { Stopper } from './stopper.js';

export interface NodeOptions {
  config: Config;
  /** The replica set to use. */
  uri: string;
  log: Log;
  version: string;
  clock?: Clock;
  /** Further listeners of the reactor, after the modules' own: a test kills the process from one. */
  listeners?: Listener[];
  /** And of the follower. */
  followers?: Listener[];
  /** A heartbeat is written after this silence of the feed, in milliseconds. */
  heartbeatMs?: number;
  /** Whether requests begin traces, for a process that exports them. */
  traced?: boolean;
}

/** One running process of Atrium, or one of several in a test. */
export interface AtriumNode {
  /** Where it listens; absent on a pure worker, which serves health checks and metrics only. */
  url: string;
  stop(): Promise<void>;
}

/** Starts the roles that the configuration asks for, in order; what was started stops in the opposite order. */
export async function startNode(options: NodeOptions): Promise<AtriumNode> {
  const stopper = new Stopper(options.log);
  try {
    return await start(options, stopper);
  } catch (error) {
    await stopper.stop();
    throw error;
  }
}

/** What nobody waits for is done so seldom that a busy chat is written down in a few transactions a second. */
const FOLLOWER_REST_MS = 200;
const FOLLOWER_BATCH_SIZE = 5_000;
/** Far more than a command of a node should take; one that takes longer fails, and whoever needs it tries again. */
const ANSWER_MS = 2 * MINUTE;

async function start(options: NodeOptions, stopper: Stopper): Promise<AtriumNode> {
  const { config, uri, log, version, clock = systemClock, traced = false } = options;
  const owner = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const [serves, works] = [config.role !== 'worker', config.role !== 'api'];

  const database = await connectDatabase(uri, { answerMs: ANSWER_MS });
  stopper.add('database', () => database.close());
  await bringUpToDate(uri, { database, owner, collections, migrations, log });

  const keys = parseKeyRing(config.jwtKeys ?? (await sharedSecret(database, 'jwt-keys', generateKeys)));
  const outbox = new Outbox({ database, clock, validate: config.nodeEnv === 'test' });
  const pager = createPager(createSigner(keys.derive('cursor').map(({ secret }) => secret)));
  const limiter = createLimiter({ db: database.db, globalPerMinute: config.requestsPerMinute });
  const metrics = createMetrics();
  const context = { database, outbox, pager, clock, log };

  const { modules, ...made } = await createModules(context, { config, keys, limiter, metrics });
  const {
    auth,
    apiKeys,
    calls,
    chat,
    departed,
    mediaReview,
    nodes,
    notifications,
    permissions,
    personalData,
    presence,
    streams,
    visibility,
  } = made;
  const contributors = allPersonalData(modules, database);

  if (config.adminEmail !== undefined && config.adminPassword !== undefined) {
    if (await auth.service.ensureAdmin(config.adminEmail, config.adminPassword))
      log.info('auth: the first admin was made');
  }

  const heartbeatMs = options.heartbeatMs ?? 5 * SECOND;
  const sources = [adapterSource, ...modules.flatMap(({ sources: own = [] }) => own)];
  const feed = new Feed({ database, outbox, clock, log, heartbeatMs, sources });
  feed.subscribe(auth.sessions);
  feed.subscribe(visibility);
  feed.subscribe(permissions);
  feed.subscribe(departed);
  for (const { subscribers = [] } of modules) for (const subscriber of subscribers) feed.subscribe(subscriber);
  const checks: HealthCheck[] = [databaseCheck(database), feedCheck(feed, 6 * heartbeatMs)];

  const [requests, socketEvents] = (['request', 'event'] as const).map(
    (kind) => new Overload({ aimMs: config.overloadMs, onShed: () => metrics.shed.inc({ kind }) }),
  ) as [Overload, Overload];
  for (const overload of [requests, socketEvents]) {
    overload.start();
    stopper.add('overload', () => {
      overload.stop();
      return Promise.resolve();
    });
  }
  metrics.watch('atrium_requests_under_way', 'Requests that are being answered.', () => requests.underWay);

  const server = createServer();
  const services = {
    authenticate: bearerToken(auth.sessions, apiKeys.service),
    limiter,
    overload: requests,
    idempotency: createIdempotency({ database, clock, keys: keys.derive('idempotency') }),
    checkAnswers: config.nodeEnv === 'test',
    log,
  };
  // Before the hub: Socket.IO keeps its own requests from whoever listened before it, and from nobody else.
  server.on(
    'request',
    createApp({
      routes: serves ? modules.flatMap(({ routes }) => routes) : [],
      namespaces: serves ? modules.flatMap(({ namespaces = [] }) => namespaces) : [],
      services,
      operations: { checks, metrics },
      origins: config.corsOrigins,
      trustProxy: config.trustProxy,
      publicUrl: config.publicUrl,
      version,
      traced,
    }),
  );
  let closeSockets = (): Promise<void> => Promise.resolve();
  if (serves) {
    const hub = new Hub({
      server,
      database,
      feed,
      authenticator: auth.sessions,
      namespaces: modules.flatMap(({ namespaces = [] }) => namespaces),
      origins: config.corsOrigins,
      clock,
      log,
      overload: socketEvents,
      traced,
    });
    hub.start();
    streams.start();
    feed.subscribe(streams);
    feed.subscribe(sessionWatch([hub, streams]));
    metrics.watch('atrium_sockets', 'Connected clients on this node.', () => hub.connections);
    metrics.watch('atrium_event_streams', 'Clients that read events over HTTP on this node.', () => streams.size);
    await nodes.start();
    closeSockets = async () => {
      streams.stop();
      await hub.drain((config.shutdownSeconds * SECOND) / 2);
      await presence.stop();
      await hub.stop();
      await socketEvents.settled((open) => log.info({ open }, 'stop: events of sockets are being finished'));
      await calls.devices.stop();
      await chat.onlookers.stop();
      await notifications.foreground.stop();
      await nodes.stop();
    };
  }

  const consumers: Consumer[] = [];
  if (works) {
    const abandoned = new AbandonedTransactions({ database, log });
    abandoned.start();
    stopper.add('abandoned transactions', () => abandoned.stop());
    const workers = notifications.startWorkers();
    const { deadLetters } = notifications;
    metrics.watchEach('atrium_dead_letters', 'Deliveries given up.', 'channel', () => deadLetters.counts());
    metrics.watchEach('atrium_work_failing', 'Work that failed and is tried again.', 'kind', () => workers.failing());
    const dataWorkers = personalData.startWorkers(contributors);
    const { fanOut, announcements, endings, placements, messages, channels } = workers;
    for (const worker of [fanOut, announcements, endings, placements, messages, ...channels, dataWorkers.exports])
      feed.subscribe(worker);
    const common = { owner, database, sources, feed, log, leaseMs: config.leaseSeconds * SECOND };
    const observe = {
      handled: (events: number) => metrics.eventsHandled.inc(events),
      setAside: () => metrics.eventsSetAside.inc(),
      historyLost: () => metrics.historyLost.inc(),
    };
    const reactor = new Consumer({
      ...common,
      name: 'reactor',
      listeners: [...modules.flatMap(({ listeners = [] }) => listeners), ...(options.listeners ?? [])],
      observe,
    });
    const follower = new Consumer({
      ...common,
      name: 'follower',
      listeners: [...modules.flatMap(({ followers = [] }) => followers), ...(options.followers ?? [])],
      restMs: FOLLOWER_REST_MS,
      batchSize: FOLLOWER_BATCH_SIZE,
      observe,
    });
    metrics.watch('atrium_reactor_leading', '1 where this node holds the reactor’s lease.', () =>
      Number(reactor.isLeading),
    );
    metrics.watch('atrium_follower_leading', '1 where this node holds the follower’s lease.', () =>
      Number(follower.isLeading),
    );
    const scheduler: Scheduler = new Scheduler({
      database,
      owner,
      log,
      pollMs: Math.min(5_000, config.sweepSeconds * SECOND),
      jobs: [
        sendNotification(workers, config.sweepSeconds * SECOND),
        exportUser(dataWorkers, config.sweepSeconds * SECOND),
        eraseUsers(dataWorkers, config.sweepSeconds * SECOND),
        cleanup([() => scheduler.buryExhausted(), () => mediaReview.reviewSome()]),
      ],
    });
    checks.push(schedulerCheck(scheduler, config.sweepSeconds * SECOND));
    calls.timer.start();
    stopper.add('calls', () => calls.timer.stop());
    stopper.add('deliveries', () => workers.stop());
    stopper.add('exports and erasures', () => dataWorkers.stop());
    stopper.add('jobs', () => scheduler.stop());
    await scheduler.start();
    consumers.push(reactor, follower);
  }

  metrics.watch(
    'atrium_feed_silence_seconds',
    'Time since the last event was seen on the change stream, heartbeats included.',
    () => feed.silenceMs / SECOND,
  );
  stopper.add('feed', async () => {
    // First those who share its stream.
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await feed.stop();
  });
  await feed.start();
  for (const consumer of consumers) consumer.start();

  const url = await listen(server, config);
  stopper.add('http and sockets', async () => {
    await closeServer(server, closeSockets);
    await requests.settled((open) => log.info({ open }, 'stop: requests are being finished'));
  });
  log.info({ url, role: config.role }, 'atrium: ready');
  return { url, stop: () => stopper.stop() };
}

/** Migrates by a connection that waits: indexes and changes of what is stored take as long as they take. */
async function bringUpToDate(uri: string, options: MigrateOptions): Promise<void> {
  if (await isUpToDate(options)) return;
  const database = await connectDatabase(uri);
  try {
    await migrate({ ...options, database });
  } finally {
    await database.close();
  }
}
