import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Config } from './config.js';
import { iceSettings } from './config/calls.js';
import { oauthProviders } from './config/oauth.js';
import { providersOf } from './config/providers.js';
import { vapidKeys } from './config/vapid-keys.js';
import { DAY, SECOND } from './core/clock.js';
import { type Limiter } from './core/http/limits.js';
import { type Module, type ModuleContext } from './core/module.js';
import { type Metrics } from './core/observability/metrics.js';
import { EventStreams } from './core/realtime/event-streams.js';
import { Nodes } from './core/realtime/nodes.js';
import { type KeyRing } from './core/security/key-ring.js';
import { sharedSecret } from './core/security/secrets.js';
import { createSigner } from './core/security/signing.js';
import { localStorage } from './core/storage/local-storage.js';
import { createApiKeys } from './modules/api-keys/index.js';
import { createAudit } from './modules/audit/index.js';
import { createAuth } from './modules/auth/index.js';
import { createCalls } from './modules/calls/index.js';
import { createChat } from './modules/chat/index.js';
import { createMedia } from './modules/media/index.js';
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

export interface ModuleDeps {
  config: Config;
  keys: KeyRing;
  limiter: Limiter;
  metrics: Metrics;
}

/** Makes every module there is, each from what it needs of the others. */
export async function createModules(context: ModuleContext, { config, keys, limiter, metrics }: ModuleDeps) {
  const { database, clock, log } = context;
  const vapid = await vapidKeys(config, database);
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
  const nodes = new Nodes({ database, log });
  const media = createMedia(context, {
    storage,
    signer: createSigner(keys.derive('media').map(({ secret }) => secret)),
  });
  const chat = createChat(context, {
    users: users.service,
    permissions,
    visibility,
    gone: () => departed.ids(),
    nodes,
    attachments: media.attachments,
    links: media.links,
    signer: createSigner(keys.derive('sync').map(({ secret }) => secret)),
  });
  const reports = createReports(context, {
    users: users.service,
    posts: posts.posts,
    comments: posts.comments,
    messages: chat.evidence,
    visibility,
    blocks: privacy.blocks,
  });
  const claimMs = config.claimSeconds * SECOND;
  const presence = createPresence(context, { permissions, nodes });
  const streams = new EventStreams({ authenticator: auth.sessions, clock, log });
  const suppressionKey = await sharedSecret(database, 'suppression-key', () => randomBytes(32).toString('base64url'));
  const notifications = createNotifications(context, {
    users: users.service,
    phones: phones.service,
    audiences: users.audiences,
    deletions: users.deletions,
    visibility,
    connections: ties,
    posts: posts.posts,
    chat,
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
  const modules: Module[] = [
    ...[users, auth, oauth, apiKeys, privacy, network, presence, posts, chat, media, calls, reports],
    ...[notifications, phones, personalData, audit],
  ];
  return {
    modules,
    ...{
      auth,
      apiKeys,
      calls,
      chat,
      departed,
      mediaReview: media.reviewOf(chat.findUses),
      nodes,
      notifications,
      permissions,
      personalData,
      presence,
      streams,
      visibility,
    },
  };
}
