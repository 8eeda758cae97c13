import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Log } from '../../../core/observability/log.js';
import { outgoingAgent } from '../../../core/security/outgoing.js';
import { type OutsideChannel } from '../notification.types.js';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.js';
import { consoleSms, mailOrConsole } from './console-fallback.js';
import { EmailRoute, type EmailProvider } from './email-route.js';
import { createMobileTransport } from './mobile-transport.js';
import { PushRoute } from './push-route.js';
import { createSendGridTransport } from './sendgrid-transport.js';
import { SmsRoute } from './sms-route.js';
import { type SmsTransport } from './sms-transport.js';
import { createSmtpTransport } from './smtp-transport.js';
import { type Pace, tokenBucket, unpaced } from './token-bucket.js';
import { createTwilioTransport, type TwilioOptions } from './twilio-transport.js';
import { createWebPushTransport, type VapidKeys } from './web-push-transport.js';

export const PROVIDER_NAMES = ['sendgrid', 'smtp', 'webPush', 'fcm', 'onesignal', 'twilio'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

export interface ProviderSettings {
  /** Without a provider a channel is shown on the console instead, or goes to a local catcher. */
  development: boolean;
  smtpUrl: string | undefined;
  sendGridApiKey: string | undefined;
  sendGridBaseUrl: string;
  mailFrom: string;
  /** Firebase service account: JSON, or the path of the file. */
  fcmServiceAccount: string | undefined;
  fcmEndpoint: string | undefined;
  /** Takes the place of Firebase. */
  oneSignal: { appId: string; apiKey: string; baseUrl: string } | undefined;
  /** What sends SMS. */
  twilio: Omit<TwilioOptions, 'agent' | 'timeoutMs' | 'callbackUrl'> | undefined;
  vapid: VapidKeys;
  caFile: string | undefined;
  /** How long an answer is waited for. */
  timeoutMs: number;
  /** How many messages a second each provider is sent by all workers together; 0 for as many as it takes. */
  perSecond: Readonly<Record<ProviderName, number>>;
}

export interface ProviderDeps {
  /** Where Twilio is to tell what became of a message; nowhere where it could not reach that. */
  twilioCallbackUrl: string | undefined;
  database: Database;
  clock: Clock;
  log: Log;
  unreadCounts: (userIds: string[]) => Promise<Map<string, number>>;
  /** Told of every provider's breaker when it is made and whenever it changes. */
  onBreaker: (provider: string, state: BreakerState) => void;
}

export interface Providers {
  email?: EmailRoute;
  webPush: PushRoute;
  mobilePush?: PushRoute;
  sms?: SmsRoute;
}

/** Where a mail catcher listens on a developer's machine: the custom for mail. */
export const DEVELOPMENT_SMTP_URL = 'smtp://127.0.0.1:1025';

/** The channels that will be served with these settings; the others are skipped. */
export function servedChannels(settings: ProviderSettings): Set<OutsideChannel> {
  const { development, smtpUrl, sendGridApiKey, fcmServiceAccount, oneSignal, twilio } = settings;
  const served = new Set<OutsideChannel>(['webPush']);
  if (smtpUrl !== undefined || sendGridApiKey !== undefined || development) served.add('email');
  if (fcmServiceAccount !== undefined || oneSignal || development) served.add('mobilePush');
  if (twilio || development) served.add('sms');
  return served;
}

/** Connects the configured providers and says at start-up which channels have none. */
export function createProviders(settings: ProviderSettings, deps: ProviderDeps): Providers {
  const { database, log } = deps;
  const { vapid, caFile, timeoutMs, perSecond } = settings;
  const paceOf = (name: ProviderName): Pace =>
    perSecond[name] > 0 ? tokenBucket(database, name, perSecond[name]) : unpaced;
  const breakerFor = (provider: string) => watchedBreaker(provider, deps);

  const email = mailProviders(settings, log).map(({ name, transport }) => ({
    name,
    transport,
    breaker: breakerFor(name),
    pace: paceOf(name),
  }));
  const mobile = createMobileTransport(settings, deps);
  const sms = smsProvider(settings, deps);
  return {
    ...(email.length > 0 && { email: new EmailRoute(email) }),
    ...(mobile && {
      mobilePush: new PushRoute({ ...mobile, pace: paceOf(mobile.name), breakerFor }),
    }),
    ...(sms && {
      sms: new SmsRoute({ name: 'twilio', transport: sms, breaker: breakerFor('twilio'), pace: paceOf('twilio') }),
    }),
    webPush: new PushRoute({
      transport: createWebPushTransport({ vapid, agent: outgoingAgent({ caFile }), timeoutMs }),
      pace: paceOf('webPush'),
      breakerFor,
      name: 'webPush',
    }),
  };
}

interface NamedMail {
  name: 'sendgrid' | 'smtp';
  transport: EmailProvider['transport'];
}

/** In the order in which they are preferred. */
function mailProviders(settings: ProviderSettings, log: Log): NamedMail[] {
  const { smtpUrl, sendGridApiKey, sendGridBaseUrl, mailFrom: from, development, caFile, timeoutMs } = settings;
  const providers: NamedMail[] = [];
  if (sendGridApiKey !== undefined) {
    const sendGrid = { apiKey: sendGridApiKey, baseUrl: sendGridBaseUrl, agent: outgoingAgent({ caFile }) };
    providers.push({ name: 'sendgrid', transport: createSendGridTransport({ ...sendGrid, from, timeoutMs }) });
  }
  if (smtpUrl !== undefined) {
    providers.push({ name: 'smtp', transport: createSmtpTransport({ url: smtpUrl, from, timeoutMs }) });
  }
  if (providers.length > 0) return providers;
  if (!development) {
    log.warn('delivery: neither SENDGRID_API_KEY nor SMTP_URL is set; e-mails are skipped');
    return [];
  }
  log.info(`delivery: e-mails go to ${DEVELOPMENT_SMTP_URL} if a catcher listens there, else to the console`);
  const catcher = createSmtpTransport({ url: DEVELOPMENT_SMTP_URL, from, timeoutMs });
  return [{ name: 'smtp', transport: mailOrConsole(catcher, log) }];
}

function smsProvider(
  { twilio, development, caFile, timeoutMs }: ProviderSettings,
  { log, twilioCallbackUrl: callbackUrl }: ProviderDeps,
): SmsTransport | undefined {
  if (twilio) return createTwilioTransport({ ...twilio, callbackUrl, agent: outgoingAgent({ caFile }), timeoutMs });
  if (development) {
    log.info('delivery: SMS go to the console');
    return consoleSms(log);
  }
  log.warn('delivery: SMS_URL is not set; SMS are skipped');
  return undefined;
}

/** A breaker whose state is logged and measured. */
function watchedBreaker(provider: string, { clock, log, onBreaker }: ProviderDeps): CircuitBreaker {
  onBreaker(provider, 'closed');
  return new CircuitBreaker({
    clock,
    onChange(state, error) {
      onBreaker(provider, state);
      if (state === 'open') log.error({ provider, error }, 'delivery: a provider is out of order; it is left alone');
      else if (state === 'halfOpen') log.info({ provider }, 'delivery: a provider is tried again');
      else log.info({ provider }, 'delivery: a provider is back');
    },
  });
}
