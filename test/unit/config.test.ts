import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ConfigError, readConfig } from '../../src/config.js';
import { childEnvironment } from '../support/child-environment.js';

const production = {
  NODE_ENV: 'production',
  JWT_KEYS: 'k1:0123456789abcdef0123456789abcdef',
  MONGODB_URI: 'mongodb://db.example/atrium?replicaSet=rs0',
};

const apple = { OAUTH_APPLE_CLIENT_ID: 'x', OAUTH_APPLE_TEAM_ID: 'y', OAUTH_APPLE_KEY_ID: 'z' };

/** What `readConfig` says against an environment. */
function complaint(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
}

describe('The configuration', () => {
  it('needs nothing in development', () => {
    const config = readConfig({});
    expect(config).to.deep.include({ nodeEnv: 'development', port: 3000, role: 'all', dataDir: '.atrium' });
    expect(config.mongodbUri).to.equal(undefined);
    expect(Object.isFrozen(config)).to.equal(true);
  });

  it('takes an empty variable for an absent one and knows nothing of foreign ones', () => {
    expect(readConfig({ PORT: '', SMTP_URL: '', SHELL: '/bin/sh' })).to.deep.equal(readConfig({}));
  });

  it('reads numbers and lists', () => {
    const { port, corsOrigins } = readConfig({ PORT: '8080', CORS_ORIGINS: 'https://a.example, https://b.example,' });
    expect(port).to.equal(8080);
    expect(corsOrigins).to.deep.equal(['https://a.example', 'https://b.example']);
  });

  it('takes a database of several members, each with its port', () => {
    const uri = 'mongodb://db1:27017,db2:27017,db3:27017/atrium?replicaSet=rs0';
    expect(readConfig({ MONGODB_URI: uri }).mongodbUri).to.equal(uri);
  });

  it('takes a complete one for production', () => {
    expect(complaint(production)).to.equal('');
  });

  const wrong: [variable: string, value: string][] = [
    ['NODE_ENV', 'staging'],
    ['PORT', 'eighty'],
    ['PORT', '70000'],
    ['ROLE', 'webserver'],
    ['MONGODB_URI', 'postgres://db.example'],
    ['MONGODB_URI', 'mongodb://db1:27017,db2:port/atrium'],
    ['ATRIUM_MONGOD_FALLBACK', 'maybe'],
    ['PUBLIC_URL', 'campus.example'],
    ['TRUST_PROXY', 'yes'],
    ['LOG_LEVEL', 'verbose'],
    ['REQUESTS_PER_MINUTE', '-1'],
    ['ADMIN_EMAIL', 'nobody'],
    ['ADMIN_PASSWORD', 'short'],
    ['SMTP_URL', 'mail.example'],
    ['FCM_ENDPOINT', 'localhost'],
    ['VAPID_SUBJECT', 'someone'],
    ['VAPID_PUBLIC_KEY', 'too-short'],
    ['VAPID_PRIVATE_KEY', 'too-short'],
    ['CLAIM_SECONDS', '0'],
    ['LEASE_SECONDS', '1.5'],
    ['SWEEP_SECONDS', 'often'],
    ['SHUTDOWN_SECONDS', '0'],
    ['SENDGRID_WEBHOOK_KEY', 'MFkw'],
    ['OAUTH_ENDPOINT', 'localhost:1'],
    ['SMS_URL', 'https://api.twilio.com'],
    ['SMS_URL', `https://AC1:token@api.twilio.com?from=+15005550006`],
    ['SMS_URL', `https://AC${'0'.repeat(32)}@api.twilio.com?from=+15005550006`],
    ['SMS_URL', `https://AC${'0'.repeat(32)}:token@api.twilio.com?from=+0`],
    ['SMS_URL', `http://AC${'0'.repeat(32)}:token@api.twilio.com?from=+15005550006`],
    ['PHONE_COUNTRY', 'Jordan'],
    ['PHONE_COUNTRIES', 'JO,XX'],
    ['OAUTH_APPLE_PRIVATE_KEY', 'no key at all'],
    ['STUN_URLS', 'stun:a.example,https://b.example'],
    ['TURN_URLS', 'turn.example'],
    ['TURN_SECRET', 'too-short'],
  ];
  for (const [variable, value] of wrong) {
    it(`refuses ${variable}=${value} and names the variable`, () => {
      expect(complaint({ [variable]: value })).to.match(new RegExp(`^ {2}- .*\\b${variable}\\b`, 'm'));
    });
  }

  const oneSignal = { ONESIGNAL_APP_ID: '7d1e9a5e-2a5d-4c6b-9d0e-3b5c1a2f4e6d', ONESIGNAL_API_KEY: 'x' };
  const contradictory: [what: string, environment: Record<string, string>, complaint: string][] = [
    ['an admin without a password', { ADMIN_EMAIL: 'a@campus.example' }, 'ADMIN_EMAIL and ADMIN_PASSWORD go together'],
    ['half a key pair', { VAPID_PUBLIC_KEY: 'x'.repeat(87) }, 'VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY go together'],
    ['production without keys', { ...production, JWT_KEYS: '' }, 'JWT_KEYS is required in production'],
    ['production without a database', { ...production, MONGODB_URI: '' }, 'MONGODB_URI is required in production'],
    [
      'passwords that are cheap to guess in production',
      { ...production, PASSWORD_MEMORY_KIB: '19455' },
      'PASSWORD_MEMORY_KIB must be at least 19456 in production',
    ],
    ['a push endpoint of one’s own in production', { ...production, FCM_ENDPOINT: 'localhost:1' }, 'FCM_ENDPOINT'],
    ['relays without their secret', { TURN_URLS: 'turn:turn.campus.example' }, 'TURN_URLS and TURN_SECRET go together'],
    ['half an app of OneSignal', { ONESIGNAL_API_KEY: 'x' }, 'ONESIGNAL_APP_ID and ONESIGNAL_API_KEY go together'],
    ['two ways to phones', { ...oneSignal, FCM_SERVICE_ACCOUNT: '{}' }, 'set ONESIGNAL_APP_ID or FCM_SERVICE_ACCOUNT'],
    ['half a client of a provider', { OAUTH_GOOGLE_CLIENT_ID: 'x' }, 'OAUTH_GOOGLE_CLIENT_SECRET go together'],
    ['a secret without its client', { OAUTH_GITHUB_CLIENT_SECRET: 'x' }, 'OAUTH_GITHUB_CLIENT_SECRET go together'],
    ['Apple without its key', apple, 'OAUTH_APPLE_KEY_ID and OAUTH_APPLE_PRIVATE_KEY go together'],
    ['providers of one’s own in production', { ...production, OAUTH_ENDPOINT: 'http://localhost:1' }, 'OAUTH_ENDPOINT'],
  ];
  for (const [what, environment, expected] of contradictory) {
    it(`refuses ${what}`, () => {
      expect(complaint(environment)).to.contain(expected);
    });
  }

  it('reads who sends SMS from one URL, escaped or not', () => {
    const accountSid = `AC${'0'.repeat(32)}`;
    for (const from of ['+15005550006', '%2B15005550006']) {
      const { sms } = readConfig({ SMS_URL: `https://${accountSid}:to%2Fken@api.twilio.com?from=${from}` });
      const expected = { accountSid, authToken: 'to/ken', from: '+15005550006', baseUrl: 'https://api.twilio.com' };
      expect(sms).to.deep.equal(expected);
    }
  });

  it('reads Apple’s key as it is, with its line breaks escaped, or from a file, and no other kind of key', async () => {
    const pemOf = (curve: string): string =>
      generateKeyPairSync('ec', {
        namedCurve: curve,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      }).privateKey;
    const pem = pemOf('P-256');
    const folder = await mkdtemp(join(tmpdir(), 'atrium-config-'));
    const file = join(folder, 'key.p8');
    await writeFile(file, pem);
    for (const given of [pem, pem.replaceAll('\n', '\\n'), file]) {
      expect(readConfig({ ...apple, OAUTH_APPLE_PRIVATE_KEY: given }).oauthApplePrivateKey).to.equal(pem);
    }
    for (const given of [pemOf('P-384'), `${file}.gone`]) {
      const said = complaint({ ...apple, OAUTH_APPLE_PRIVATE_KEY: given });
      expect(said).to.contain('OAUTH_APPLE_PRIVATE_KEY must be a private P-256 key').and.not.contain(given);
    }
    await rm(folder, { recursive: true });
  });

  it('lists everything that is wrong at once', () => {
    const message = complaint({ PORT: 'eighty', ROLE: 'king' });
    expect(message.split('\n')).to.have.length(3);
    expect(message).to.contain('PORT').and.to.contain('ROLE');
  });

  it('stops the start with plain words and without a stack trace', async function () {
    this.timeout(60_000);
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      env: childEnvironment({ NODE_ENV: 'test', LEASE_SECONDS: 'long' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [[code], complaintGiven] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect(code).to.equal(1);
    expect(complaintGiven).to.contain('LEASE_SECONDS must be a number').and.not.to.contain('    at ');
  });
});
