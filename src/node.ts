import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { cleanup } from '../jobs/cleanup.js';
import { eraseUsers } from '../jobs/erase-users.js';
import { exportUser } from '../jobs/export-user.js';
import { sendNotification } from '../jobs/send-notification.js';
import { createApp } from './app.js';
import { collections, migrations } from './collections.js';
import { type Config } from './config.js';
import { iceSettings } from './config/calls.js';
import { oauthProviders } from './config/oauth.js';
import { providersOf } from './config/providers.js';
import { vapidKeys } from './config/vapid-keys.js';
import { type Clock, DAY, SECOND, systemClock } from './core/clock.js';
import { connectDatabase } from './core/database/database.js';
import { migrate } from './core/database/migrations.js';
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
import { EventStreams } from './core/realtime/event-streams.js';
import { Hub } from './core/realtime/hub.js';
import { Nodes } from './core/realtime/nodes.js';
import { bearerToken } from './core/security/bearer.js';
import { generateKeys, parseKeyRing } from './core/security/key-ring.js';
import { sharedSecret } from './core/security/secrets.js';
import { createSigner } from './core/security/signing.js';
import { localStorage } from './core/storage/local-storage.js';
import { databaseCheck, feedCheck, schedulerCheck } from './health-checks.js';
import { closeServer, listen } from './http-server.js';
import { createApiKeys } from './modules/api-keys/index.js';
import { createAudit } from './modules/audit/index.js';
import { createAuth } from './modules/auth/index.js';
import { createCalls } from './modules/calls/index.js';
import { ConnectionTies, createNetwork } from './modules/network/index.js';
import { BREAKER_LEVELS, createNotifications, servedChannels } from './modules/notifications/index.js';
import { createOAuth, Identities } from './modules/oauth/index.js';
import { createPersonalData } from './modules/personal-data/index.js';
import { createPhones } from './modules/phones/index.js';
import { createPosts } from './modules/posts/index.js';
import { createPresence } from './modules/presence/index.js';
import { BlockList, createPrivacy, PermissionService } from './modules/privacy/index.js';
import { createReports } from './modules/reports/index.js';
import { createUsers, Departed } from './modules/users/index.js';
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
  /** A heartbeat is written after this silence of the feed, in milliseconds. */
  heartbeatMs?: number;
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

async function start(options: NodeOptions, stopper: Stopper): Promise<AtriumNode> {
  const { config, uri, log, version, clock = systemClock } = options;
  const owner = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const [serves, works] = [config.role !== 'worker', config.role !== 'api'];

  const database = await connectDatabase(uri);
  stopper.add('database', () => database.close());
  await migrate({ database, owner, collections, migrations, log });

  const keys = parseKeyRing(config.jwtKeys ?? (await sharedSecret(database, 'jwt-keys', generateKeys)));
  const vapid = await vapidKeys(config, database);
  const outbox = new Outbox({ database, clock, validate: config.nodeEnv === 'test' });
  const pager = createPager(createSigner(keys.derive('cursor').map(({ secret }) => secret)));
  const limiter = createLimiter({ db: database.db, globalPerMinute: config.requestsPerMinute });
  const metrics = createMetrics();
  const context = { database, outbox, pager, clock, log };

  const storage = localStorage(join(config.dataDir, 'files'));
  const departed = new Departed(context);
  const visibility = new BlockList(context, departed);
  const ties = new ConnectionTies(context);
  const permissions = new PermissionService({ ...context, visibility, ties });
  const users = createUsers(context, { storage, visibility, permissions, connections: ties });
  const identities = new Identities(context);
  const auth = createAuth(context, {
    users: users.service,
    deletions: users.deletions,
    departed,
    graceMs: config.erasureGraceDays * DAY,
    keys,
    limiter,
    passwordMemoryKib: config.passwordMemoryKib,
    otherWaysIn: identities,
    cookie: {
      secure: config.nodeEnv === 'production',
      origins: [new URL(config.publicUrl).origin, ...config.corsOrigins],
    },
  });
  const oauth = createOAuth(context, {
    users: users.service,
    identities,
    accounts: auth.accounts,
    admission: auth.admission,
    refresh: auth.cookie,
    publicUrl: config.publicUrl,
    providers: oauthProviders(config),
    endpoint: config.oauthEndpoint,
  });
  const providers = { ...providersOf(config), vapid };
  const phones = createPhones(context, {
    limiter,
    codes: auth.phoneCodes,
    plan: { country: config.phoneCountry, countries: config.phoneCountries },
    isServed: servedChannels(providers).has('sms'),
  });
  const apiKeys = createApiKeys(context);
  const privacy = createPrivacy(context, { users: users.service, blockList: visibility, permissions });
  const network = createNetwork(context, {
    users: users.service,
    peers: users.peers,
    visibility,
  });
  const posts = createPosts(context, { users: users.service, visibility, permissions });
  const reports = createReports(context, {
    users: users.service,
    posts: posts.posts,
    comments: posts.comments,
    visibility,
    blocks: privacy.blocks,
  });
  const claimMs = config.claimSeconds * SECOND;
  const nodes = new Nodes({ database, log });
  const presence = createPresence(context, { permissions, nodes });
  const streams = new EventStreams({ authenticator: auth.sessions, clock, log });
  const suppressionKey = await sharedSecret(database, 'suppression-key', () => randomBytes(32).toString('base64url'));
  const notifications = createNotifications(context, {
    users: users.service,
    phones: phones.service,
    audiences: users.audiences,
    deletions: users.deletions,
    visibility,
    posts: posts.posts,
    streams,
    nodes,
    publicUrl: config.publicUrl,
    mailSecrets: auth.mailSecrets,
    suppressionKey: Buffer.from(suppressionKey, 'base64url'),
    unsubscribeSigner: createSigner(keys.derive('unsubscribe').map(({ secret }) => secret)),
    sendGridWebhookKey: config.sendGridWebhookKey,
    pushHosts: config.webPushHosts,
    allowLoopbackPush: config.nodeEnv !== 'production',
    claimMs,
    leaseMs: config.leaseSeconds * SECOND,
    providers,
    observe: {
      shown: (ms) => metrics.shown.observe(ms / SECOND),
      delivered: (channel, outcome, ms) => metrics.delivered.observe({ channel, outcome }, ms / SECOND),
      breaker: (provider, state) => metrics.breaker.set({ provider }, BREAKER_LEVELS[state]),
    },
  });
  const calls = createCalls(context, {
    users: users.service,
    visibility,
    permissions,
    limiter,
    nodes,
    ice: iceSettings(config),
  });
  const personalData = createPersonalData(context, {
    storage,
    deletions: users.deletions,
    requireCode: auth.requireCode,
    claimMs,
  });
  const audit = createAudit(context);
  // Phones come after the notifications, which still have to find out by the number which SMS are suppressed.
  const modules = [
    ...[users, auth, oauth, apiKeys, privacy, network, presence, posts, calls, reports],
    ...[notifications, phones, personalData, audit],
  ];
  const contributors = allPersonalData(modules, database);

  if (config.adminEmail !== undefined && config.adminPassword !== undefined) {
    if (await auth.service.ensureAdmin(config.adminEmail, config.adminPassword))
      log.info('auth: the first admin was made');
  }

  const heartbeatMs = options.heartbeatMs ?? 5 * SECOND;
  const feed = new Feed({ database, outbox, clock, log, heartbeatMs });
  feed.subscribe(auth.sessions);
  feed.subscribe(visibility);
  feed.subscribe(permissions);
  feed.subscribe(departed);
  const checks: HealthCheck[] = [databaseCheck(database), feedCheck(feed, 6 * heartbeatMs)];

  const server = createServer();
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
      await presence.stop();
      await hub.stop();
      await calls.devices.stop();
      await notifications.foreground.stop();
      await nodes.stop();
    };
  }

  if (works) {
    const workers = notifications.startWorkers();
    const { deadLetters } = notifications;
    metrics.watchEach('atrium_dead_letters', 'Deliveries given up.', 'channel', () => deadLetters.counts());
    const dataWorkers = personalData.startWorkers(contributors);
    const { fanOut, announcements, endings, channels } = workers;
    for (const worker of [fanOut, announcements, endings, ...channels, dataWorkers.exports]) feed.subscribe(worker);
    const reactor = new Consumer({
      name: 'reactor',
      owner,
      database,
      listeners: [...modules.flatMap(({ listeners = [] }) => listeners), ...(options.listeners ?? [])],
      log,
      leaseMs: config.leaseSeconds * SECOND,
      observe: {
        handled: (events) => metrics.eventsHandled.inc(events),
        setAside: () => metrics.eventsSetAside.inc(),
        historyLost: () => metrics.historyLost.inc(),
      },
    });
    metrics.watch('atrium_reactor_leading', '1 where this node holds the reactor’s lease.', () =>
      Number(reactor.isLeading),
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
        cleanup(() => scheduler.buryExhausted()),
      ],
    });
    checks.push(schedulerCheck(scheduler, config.sweepSeconds * SECOND));
    calls.timer.start();
    stopper.add('calls', () => calls.timer.stop());
    stopper.add('deliveries', () => workers.stop());
    stopper.add('exports and erasures', () => dataWorkers.stop());
    stopper.add('jobs', () => scheduler.stop());
    stopper.add('reactor', () => reactor.stop());
    await scheduler.start();
    reactor.start();
  }

  metrics.watch(
    'atrium_feed_silence_seconds',
    'Time since the last event was seen on the change stream, heartbeats included.',
    () => feed.silenceMs / SECOND,
  );
  await feed.start();
  stopper.add('feed', () => feed.stop());

  const services = {
    authenticate: bearerToken(auth.sessions, apiKeys.service),
    limiter,
    idempotency: createIdempotency({ database, clock, keys: keys.derive('idempotency') }),
    checkAnswers: config.nodeEnv === 'test',
    log,
  };
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
    }),
  );
  const url = await listen(server, config);
  stopper.add('http and sockets', () => closeServer(server, closeSockets));
  log.info({ url, role: config.role }, 'atrium: ready');
  return { url, stop: () => stopper.stop() };
}
