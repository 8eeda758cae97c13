import Joi from 'joi';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { MongoClient } from 'mongodb';
import { callContradictions, callSettings } from './config/calls.js';
import { oauthContradictions, oauthSettings } from './config/oauth.js';
import { providerSettings } from './config/providers.js';
import { observabilitySettings } from './config/observability.js';
import { choice, commaSeparated, type Setting, setting, url, type ValueOf } from './config/setting.js';

/** OWASP's first choice for argon2id. */
const SAFE_PASSWORD_MEMORY_KIB = 19_456;

const country = Joi.string().custom((value: string, helpers) =>
  isSupportedCountry(value) ? value : helpers.message({ custom: '{{#label}} must be a country as in JO' }),
);
const countries = commaSeparated.custom((value: string[], helpers) =>
  value.every((one) => isSupportedCountry(one))
    ? value
    : helpers.message({ custom: '{{#label}} must be countries as in JO,SA' }),
);

/** No URI where it names several members with their ports: only the driver knows what it takes. */
const connectionString = Joi.string().custom((value: string, helpers) => {
  try {
    // It connects only when it is told to.
    new MongoClient(value);
    return value;
  } catch {
    // What the driver says of it may quote the password.
    const example = 'mongodb://db1:27017,db2:27017/atrium?replicaSet=atrium';
    return helpers.message({ custom: `{{#label}} must be a connection string of MongoDB as in ${example}` });
  }
});

/** Every setting there is. The README's table is generated from this (`npm run docs:config`). */
export const settings = {
  nodeEnv: setting(
    'NODE_ENV',
    choice('development', 'production', 'test').default('development'),
    'In `production` nothing is made up: keys must be given, and there are no development transports.',
  ),
  port: setting('PORT', Joi.number().port().default(3000), 'HTTP and WebSocket port; 0 takes a free one.'),
  host: setting('HOST', Joi.string().default('0.0.0.0'), 'Address to listen on.'),
  role: setting(
    'ROLE',
    choice('all', 'api', 'worker').default('all'),
    'What this process does: serve (`api`), background work (`worker`), or both.',
  ),
  mongodbUri: setting(
    'MONGODB_URI',
    connectionString.optional() as Joi.Schema<string | undefined>,
    'A MongoDB 7.0+ replica set.',
    'an embedded one under `DATA_DIR`',
  ),
  dataDir: setting(
    'DATA_DIR',
    Joi.string().default('.atrium'),
    'Folder for what the process keeps: uploaded files (nodes share `files` in it), the embedded database, development certificates.',
  ),
  mongodFallback: setting(
    'ATRIUM_MONGOD_FALLBACK',
    choice('on', 'off').default('on'),
    '`off` forbids the last resort for the embedded database, a Windows build of mongod under Wine.',
  ),
  publicUrl: setting(
    'PUBLIC_URL',
    url('http', 'https').default('http://localhost:3000'),
    'Where people reach the web app; links in messages start with it.',
  ),
  corsOrigins: setting(
    'CORS_ORIGINS',
    commaSeparated.default([]),
    'Origins of web apps that may call the API, separated by commas.',
    'none',
  ),
  trustProxy: setting(
    'TRUST_PROXY',
    Joi.number().integer().min(0).max(10).default(0),
    'How many reverse proxies stand in front; their `X-Forwarded-For` is believed.',
  ),
  logLevel: setting(
    'LOG_LEVEL',
    choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
    'Least level that is logged.',
  ),
  requestsPerMinute: setting(
    'REQUESTS_PER_MINUTE',
    Joi.number().integer().min(0).default(120),
    'Global limit per user, else per address; 0 switches it off.',
  ),
  overloadMs: setting(
    'OVERLOAD_MS',
    Joi.number().integer().min(0).default(500),
    'With half of the requests taking longer than this, in milliseconds, a node turns some away with 503 `OVERLOADED` and `Retry-After`, until the others are answered in time; the same with what sockets send. 0 looks at nothing.',
  ),
  jwtKeys: setting(
    'JWT_KEYS',
    Joi.string().optional() as Joi.Schema<string | undefined>,
    'Signing keys as `kid:secret` (32 bytes or more), separated by commas; the first signs, all verify. Required in production.',
    'made at first start',
  ),
  passwordMemoryKib: setting(
    'PASSWORD_MEMORY_KIB',
    Joi.number().integer().min(8).default(SAFE_PASSWORD_MEMORY_KIB),
    'Memory that one hash of a password takes (argon2id, two passes); less than the default is refused in production.',
  ),
  adminEmail: setting(
    'ADMIN_EMAIL',
    Joi.string().email({ tlds: false }).lowercase().optional() as Joi.Schema<string | undefined>,
    'The first admin, made at start if there is no such account.',
    'none',
  ),
  adminPassword: setting(
    'ADMIN_PASSWORD',
    Joi.string().min(12).max(128).optional() as Joi.Schema<string | undefined>,
    'The first admin’s password.',
    'none',
  ),
  ...providerSettings,
  phoneCountry: setting(
    'PHONE_COUNTRY',
    country.optional() as Joi.Schema<string | undefined>,
    'The country of phone numbers that are given without one, as in `JO`.',
    'none: numbers begin with `+`',
  ),
  phoneCountries: setting(
    'PHONE_COUNTRIES',
    countries.default([]),
    'The only countries whose numbers are written to, separated by commas. Name those of your people: there are numbers that earn their owner money by each SMS.',
    'all',
  ),
  vapidSubject: setting(
    'VAPID_SUBJECT',
    url('https', 'mailto').default('mailto:push@atrium.localhost'),
    'Contact that push services see.',
  ),
  vapidPublicKey: setting(
    'VAPID_PUBLIC_KEY',
    Joi.string().length(87).optional() as Joi.Schema<string | undefined>,
    'Web push key pair, base64url.',
    'made at first start',
  ),
  vapidPrivateKey: setting(
    'VAPID_PRIVATE_KEY',
    Joi.string().length(43).optional() as Joi.Schema<string | undefined>,
    'Web push key pair, base64url.',
    'made at first start',
  ),
  webPushHosts: setting(
    'WEB_PUSH_HOSTS',
    commaSeparated.default([
      'fcm.googleapis.com',
      '*.push.services.mozilla.com',
      '*.push.apple.com',
      '*.notify.windows.com',
    ]),
    'Push services that subscriptions may name; no other host is ever called. Outside production also loopback.',
    'those of Chrome, Firefox, Safari, Edge',
  ),
  extraCaFile: setting(
    'EXTRA_CA_FILE',
    Joi.string().optional() as Joi.Schema<string | undefined>,
    'Certificates to trust in outgoing TLS beside the well-known ones (PEM).',
    'in development `DATA_DIR/development-ca.pem`',
  ),
  claimSeconds: setting(
    'CLAIM_SECONDS',
    Joi.number().integer().min(1).default(60),
    'How long a worker’s claim on a batch holds without renewal.',
  ),
  leaseSeconds: setting(
    'LEASE_SECONDS',
    Joi.number().integer().min(1).default(6),
    'How long the leases of the reactor, the follower and who sends announcements hold without renewal, and claims on what is written page by page.',
  ),
  sweepSeconds: setting(
    'SWEEP_SECONDS',
    Joi.number().integer().min(1).default(10),
    'How often deliveries that are due are looked for, beside being told of them.',
  ),
  erasureGraceDays: setting(
    'ERASURE_GRACE_DAYS',
    Joi.number().integer().min(1).max(365).default(30),
    'Days after which an account that its owner gave up is erased; signing in before takes it back.',
  ),
  ...oauthSettings,
  ...callSettings,
  ...observabilitySettings,
  shutdownSeconds: setting(
    'SHUTDOWN_SECONDS',
    Joi.number().integer().min(1).default(20),
    'How long a stop may take before it is forced.',
  ),
} as const;

/** The validated configuration of a process. */
export type Config = { readonly [K in keyof typeof settings]: ValueOf<(typeof settings)[K]> };

/** Thrown where a setting cannot be used; the message names the variable and says what is wrong. */
export class ConfigError extends Error {}

/**
 * Reads the configuration from environment variables; an empty variable counts as absent.
 * @throws ConfigError naming every variable that is wrong
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { env, schema }] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const given = environment[env];
    const { value, error } = schema
      .label(env)
      .validate(given === '' ? undefined : given, { errors: { wrap: { label: false } } }) as {
      value: unknown;
      error?: Joi.ValidationError;
    };
    if (error) problems.push(error.message);
    else config[name] = value;
  }
  problems.push(...contradictions(config as Config));
  if (problems.length > 0)
    throw new ConfigError(`The configuration cannot be used:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  return Object.freeze(config) as Config;
}

function contradictions(config: Config): string[] {
  const wrong: string[] = [];
  if ((config.vapidPublicKey === undefined) !== (config.vapidPrivateKey === undefined)) {
    wrong.push('VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY go together');
  }
  if ((config.adminEmail === undefined) !== (config.adminPassword === undefined)) {
    wrong.push('ADMIN_EMAIL and ADMIN_PASSWORD go together');
  }
  if ((config.oneSignalAppId === undefined) !== (config.oneSignalApiKey === undefined)) {
    wrong.push('ONESIGNAL_APP_ID and ONESIGNAL_API_KEY go together');
  }
  if (config.oneSignalAppId !== undefined && config.fcmServiceAccount !== undefined) {
    wrong.push('phones are reached by OneSignal or by Firebase: set ONESIGNAL_APP_ID or FCM_SERVICE_ACCOUNT');
  }
  if (config.nodeEnv === 'production') {
    if (config.jwtKeys === undefined) wrong.push('JWT_KEYS is required in production');
    if (config.mongodbUri === undefined) wrong.push('MONGODB_URI is required in production');
    if (config.passwordMemoryKib < SAFE_PASSWORD_MEMORY_KIB) {
      wrong.push(`PASSWORD_MEMORY_KIB must be at least ${SAFE_PASSWORD_MEMORY_KIB} in production`);
    }
    if (config.fcmEndpoint !== undefined) wrong.push('FCM_ENDPOINT is for development and tests only');
  }
  return [...wrong, ...oauthContradictions(config), ...callContradictions(config)];
}
