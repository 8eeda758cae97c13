import { existsSync, readFileSync } from 'node:fs';
import { cert, initializeApp, type ServiceAccount } from 'firebase-admin/app';
import { randomUUID } from 'node:crypto';
import { type Log } from '../../../core/observability/log.js';
import { outgoingAgent } from '../../../core/security/outgoing.js';
import { pushOrConsole } from './console-fallback.js';
import { createFcmTransport } from './fcm-transport.js';
import { createOneSignalTransport } from './onesignal-transport.js';
import { type PushTransport } from './push-transport.js';

/** Where a catcher of pushes listens on a developer's machine. */
export const DEVELOPMENT_FCM_ENDPOINT = '127.0.0.1:1026';

export interface MobileSettings {
  development: boolean;
  fcmServiceAccount: string | undefined;
  fcmEndpoint: string | undefined;
  oneSignal: { appId: string; apiKey: string; baseUrl: string } | undefined;
  caFile: string | undefined;
  timeoutMs: number;
}

export interface MobileProvider {
  name: 'fcm' | 'onesignal';
  transport: PushTransport;
}

/** Connects Firebase or OneSignal, or in development a local catcher; `undefined` where there is none. */
export function createMobileTransport(
  { fcmServiceAccount, fcmEndpoint, oneSignal, development, caFile, timeoutMs }: MobileSettings,
  { log, unreadCounts }: { log: Log; unreadCounts: (userIds: string[]) => Promise<Map<string, number>> },
): MobileProvider | undefined {
  if (oneSignal) {
    const agent = outgoingAgent({ caFile });
    return { name: 'onesignal', transport: createOneSignalTransport({ ...oneSignal, agent, timeoutMs }) };
  }
  if (fcmServiceAccount === undefined && !development) {
    log.warn('delivery: neither FCM_SERVICE_ACCOUNT nor ONESIGNAL_APP_ID is set; pushes to phones are skipped');
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
  if (fcmServiceAccount !== undefined) return { name: 'fcm', transport };
  log.info(
    `delivery: pushes to phones go to ${DEVELOPMENT_FCM_ENDPOINT} if a catcher listens there, else to the console`,
  );
  return { name: 'fcm', transport: pushOrConsole(transport, log) };
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
