import { existsSync, readFileSync } from 'node:fs';
import { cert, initializeApp, type ServiceAccount } from 'firebase-admin/app';
import { randomUUID } from 'node:crypto';
import { type Log } from '../../../core/observability/log.js';
import { outgoingAgent } from '../../../core/security/outgoing.js';
import { type OutsideChannel } from '../notification.types.js';
import { mailOrConsole, pushOrConsole } from './console-fallback.js';
import { type EmailTransport } from './email-sender.js';
import { createFcmTransport } from './fcm-transport.js';
import { type PushTransport } from './push-sender.js';
import { createSmtpTransport } from './smtp-transport.js';
import { createWebPushTransport, type VapidKeys } from './web-push-transport.js';

export interface ProviderSettings {
  /** Without a provider a channel is shown on the console instead, or goes to a local catcher. */
  development: boolean;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Firebase service account: JSON, or the path of the file. */
  fcmServiceAccount: string | undefined;
  fcmEndpoint: string | undefined;
  vapid: VapidKeys;
  caFile: string | undefined;
}

export interface Providers {
  email?: EmailTransport;
  webPush?: PushTransport;
  mobilePush?: PushTransport;
}

/** Where catchers listen on a developer's machine: 1025 is the custom for mail. */
export const DEVELOPMENT_SMTP_URL = 'smtp://127.0.0.1:1025';
export const DEVELOPMENT_FCM_ENDPOINT = '127.0.0.1:1026';

/** The channels that will be served with these settings; the others are skipped. */
export function servedChannels(settings: ProviderSettings): Set<OutsideChannel> {
  const served = new Set<OutsideChannel>(['webPush']);
  if (settings.smtpUrl !== undefined || settings.development) served.add('email');
  if (settings.fcmServiceAccount !== undefined || settings.development) served.add('mobilePush');
  return served;
}

/** Connects the configured providers and says at start-up which channels have none. */
export function createProviders(
  settings: ProviderSettings,
  { log, unreadCounts }: { log: Log; unreadCounts: (userIds: string[]) => Promise<Map<string, number>> },
): Providers {
  const { vapid, caFile } = settings;
  const email = emailProvider(settings, log);
  const mobilePush = mobileProvider(settings, log, unreadCounts);
  return {
    ...(email && { email }),
    ...(mobilePush && { mobilePush }),
    webPush: createWebPushTransport({ vapid, agent: outgoingAgent({ caFile }) }),
  };
}

function emailProvider({ smtpUrl, mailFrom, development }: ProviderSettings, log: Log): EmailTransport | undefined {
  if (smtpUrl !== undefined) return createSmtpTransport({ url: smtpUrl, from: mailFrom });
  if (!development) {
    log.warn('delivery: SMTP_URL is not set; e-mails are skipped');
    return undefined;
  }
  log.info(`delivery: e-mails go to ${DEVELOPMENT_SMTP_URL} if a catcher listens there, else to the console`);
  return mailOrConsole(createSmtpTransport({ url: DEVELOPMENT_SMTP_URL, from: mailFrom }), log);
}

function mobileProvider(
  { fcmServiceAccount, fcmEndpoint, development, caFile }: ProviderSettings,
  log: Log,
  unreadCounts: (userIds: string[]) => Promise<Map<string, number>>,
): PushTransport | undefined {
  if (fcmServiceAccount === undefined && !development) {
    log.warn('delivery: FCM_SERVICE_ACCOUNT is not set; pushes to phones are skipped');
    return undefined;
  }
  const connectTo = fcmEndpoint ?? (fcmServiceAccount === undefined ? DEVELOPMENT_FCM_ENDPOINT : undefined);
  const account = fcmServiceAccount === undefined ? undefined : readAccount(fcmServiceAccount);
  // Names are global in the library; every node of a process has its own app.
  const name = `atrium-${randomUUID()}`;
  const app =
    connectTo === undefined && account
      ? initializeApp({ credential: cert(account), ...projectOf(account) }, name)
      : initializeApp(
          {
            projectId: account?.projectId ?? 'atrium-development',
            // A local endpoint wants a token, but has no sign-in to get one from.
            credential: { getAccessToken: () => Promise.resolve({ access_token: 'local', expires_in: 3_600 }) },
            httpAgent: outgoingAgent({ connectTo, caFile }),
          },
          name,
        );
  const transport = createFcmTransport({ app, legacyTransport: connectTo !== undefined, unreadCounts, log });
  if (fcmServiceAccount !== undefined) return transport;
  log.info(
    `delivery: pushes to phones go to ${DEVELOPMENT_FCM_ENDPOINT} if a catcher listens there, else to the console`,
  );
  return pushOrConsole(transport, log);
}

/** @throws Error where the text is neither JSON nor the path of a readable JSON file */
function readAccount(text: string): ServiceAccount {
  const json = existsSync(text) ? readFileSync(text, 'utf8') : text;
  const raw = JSON.parse(json) as Record<string, string>;
  const { project_id: projectId, client_email: clientEmail, private_key: privateKey } = raw;
  if (projectId === undefined || clientEmail === undefined || privateKey === undefined) {
    throw new Error('FCM_SERVICE_ACCOUNT is no service account: project_id, client_email or private_key is missing');
  }
  return { projectId, clientEmail, privateKey };
}

function projectOf({ projectId }: ServiceAccount): { projectId?: string } {
  return projectId === undefined ? {} : { projectId };
}
