import { createPublicKey } from 'node:crypto';
import Joi from 'joi';
import { join } from 'node:path';
import { SECOND } from '../core/clock.js';
import { type ProviderSettings } from '../modules/notifications/index.js';
import { setting, url, type ValueOf } from './setting.js';
import { type SmsAccount, smsUrl } from './sms-url.js';

function perSecond(env: string, provider: string) {
  return setting(
    env,
    Joi.number().integer().min(0).default(0),
    `How many messages a second all workers together send by ${provider}; 0 for as many as it takes.`,
  );
}

const publicKey = Joi.string().custom((value: string, helpers) => {
  try {
    const key = createPublicKey({ key: Buffer.from(value, 'base64'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return value;
  } catch {
    // Said below.
  }
  return helpers.message({ custom: '{{#label}} must be the key that SendGrid shows: a P-256 public key in base64' });
});

/** What sends notifications, and how fast. */
export const providerSettings = {
  smtpUrl: setting(
    'SMTP_URL',
    url('smtp', 'smtps').optional() as Joi.Schema<string | undefined>,
    'The mail server, with user and password where it wants them.',
    'none; in development a catcher on port 1025, else the console',
  ),
  smtpPerSecond: perSecond('SMTP_PER_SECOND', 'SMTP'),
  mailFrom: setting('MAIL_FROM', Joi.string().default('Atrium <no-reply@atrium.localhost>'), 'Sender of e-mails.'),
  sendGridApiKey: setting(
    'SENDGRID_API_KEY',
    Joi.string().pattern(/^SG\./).optional() as Joi.Schema<string | undefined>,
    'Sends e-mails by SendGrid; the mail server of `SMTP_URL` takes over while SendGrid fails.',
    'none',
  ),
  sendGridBaseUrl: setting(
    'SENDGRID_BASE_URL',
    url('https').default('https://api.sendgrid.com'),
    'SendGrid’s address, for another region or a local server.',
  ),
  sendGridWebhookKey: setting(
    'SENDGRID_WEBHOOK_KEY',
    publicKey.optional() as Joi.Schema<string | undefined>,
    'The public key that SendGrid’s event webhook is verified with; see [What becomes of mails](#what-becomes-of-mails).',
    'none; the webhook is closed',
  ),
  sendGridPerSecond: perSecond('SENDGRID_PER_SECOND', 'SendGrid'),
  fcmServiceAccount: setting(
    'FCM_SERVICE_ACCOUNT',
    Joi.string().optional() as Joi.Schema<string | undefined>,
    'Firebase service account, as JSON or the path of the file.',
    'none; in development a catcher, else the console',
  ),
  fcmEndpoint: setting(
    'FCM_ENDPOINT',
    Joi.string()
      .pattern(/^[\w.-]+:\d+$/)
      .optional() as Joi.Schema<string | undefined>,
    'Where to connect instead of Google (`host:port`), outside production only.',
    'none',
  ),
  fcmPerSecond: perSecond('FCM_PER_SECOND', 'Firebase'),
  oneSignalAppId: setting(
    'ONESIGNAL_APP_ID',
    Joi.string().guid().optional() as Joi.Schema<string | undefined>,
    'Sends pushes to phones by OneSignal instead of Firebase; phones register the ids of their subscriptions.',
    'none',
  ),
  oneSignalApiKey: setting(
    'ONESIGNAL_API_KEY',
    Joi.string().optional() as Joi.Schema<string | undefined>,
    'The key of the OneSignal app.',
    'none',
  ),
  oneSignalBaseUrl: setting(
    'ONESIGNAL_BASE_URL',
    url('https').default('https://api.onesignal.com'),
    'OneSignal’s address, or that of a local server.',
  ),
  oneSignalPerSecond: perSecond('ONESIGNAL_PER_SECOND', 'OneSignal'),
  sms: setting(
    'SMS_URL',
    smsUrl.optional() as Joi.Schema<SmsAccount | undefined>,
    'Sends SMS by Twilio: `https://<account>:<token>@api.twilio.com?from=<number, name or messaging service>`; see [SMS](#sms).',
    'none; in development the console',
  ),
  smsPerSecond: perSecond('SMS_PER_SECOND', 'Twilio'),
  webPushPerSecond: perSecond('WEB_PUSH_PER_SECOND', 'web push'),
  providerTimeoutSeconds: setting(
    'PROVIDER_TIMEOUT_SECONDS',
    Joi.number().integer().min(1).max(120).default(20),
    'How long the answer of a mail provider or a web push service is waited for.',
  ),
} as const;

type Given = { readonly [K in keyof typeof providerSettings]: ValueOf<(typeof providerSettings)[K]> } & {
  readonly nodeEnv: string;
  readonly dataDir: string;
  readonly extraCaFile: string | undefined;
};

/** What the notifications need to know of their providers. */
export function providersOf(config: Given): Omit<ProviderSettings, 'vapid'> {
  const { smtpUrl, sendGridApiKey, sendGridBaseUrl, mailFrom, fcmServiceAccount, fcmEndpoint } = config;
  const { oneSignalAppId: appId, oneSignalApiKey: apiKey, oneSignalBaseUrl } = config;
  const development = config.nodeEnv === 'development';
  return {
    development,
    smtpUrl,
    sendGridApiKey,
    sendGridBaseUrl,
    mailFrom,
    fcmServiceAccount,
    fcmEndpoint,
    oneSignal: appId !== undefined && apiKey !== undefined ? { appId, apiKey, baseUrl: oneSignalBaseUrl } : undefined,
    twilio: config.sms,
    caFile: config.extraCaFile ?? (development ? join(config.dataDir, 'development-ca.pem') : undefined),
    timeoutMs: config.providerTimeoutSeconds * SECOND,
    perSecond: {
      smtp: config.smtpPerSecond,
      sendgrid: config.sendGridPerSecond,
      fcm: config.fcmPerSecond,
      onesignal: config.oneSignalPerSecond,
      twilio: config.smsPerSecond,
      webPush: config.webPushPerSecond,
    },
  };
}
