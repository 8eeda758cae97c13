import { type App, deleteApp } from 'firebase-admin/app';
import { getMessaging, type Message, type SendResponse } from 'firebase-admin/messaging';
import { type Log } from '../../../core/observability/log.js';
import { NOTIFICATION_TYPES } from '../notification.types.js';
import { type DeviceResult } from './device-results.js';
import { collapseIdOf, type Push, type PushTransport } from './push-transport.js';
import { shortenBy } from './shorten.js';

/** What one `sendEach` takes. */
const MOST_PER_CALL = 500;
const CALLS_AT_ONCE = 2;
/** FCM and APNs take 4,096 bytes; this much of it may be texts and data, the rest is for what they wrap them in. */
const MOST_BYTES = 3_600;

/** Too many for one device or one project: FCM itself is well. */
const TOO_MANY = new Set(['messaging/message-rate-exceeded', 'messaging/device-message-rate-exceeded']);

export interface FcmTransportOptions {
  app: App;
  /** HTTP/1.1 through the app's own agent, for a local endpoint; otherwise HTTP/2. */
  legacyTransport: boolean;
  /** Unread counts by user id, for the badge on iOS. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, number>>;
  log: Log;
}

/** Phones through Firebase: Android directly, iOS by way of APNs. A repeated push replaces the first on the device. */
export function createFcmTransport({ app, legacyTransport, unreadCounts, log }: FcmTransportOptions): PushTransport {
  const messaging = getMessaging(app);
  // HTTP/2 would ignore the agent that leads to a local endpoint.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- no other transport takes an agent
  if (legacyTransport) messaging.enableLegacyHttpTransport();
  let projectIsProven = false;

  /**
   * FCM answers 404 for a dead token and for a wrong project alike, and the library shows no difference. A token is
   * only given up once this project is known to accept messages: it did so before, or does so in a dry run.
   */
  async function proveProject(): Promise<boolean> {
    if (projectIsProven) return true;
    try {
      await messaging.send({ topic: 'atrium-project-check' }, true);
      projectIsProven = true;
    } catch (error) {
      log.error({ err: error }, 'push: FCM does not know this project; no token is given up');
    }
    return projectIsProven;
  }

  async function resultOf({ success, messageId, error }: SendResponse): Promise<DeviceResult> {
    if (success) {
      projectIsProven = true;
      return { kind: 'accepted', ...(messageId !== undefined && { providerMessageId: messageId }) };
    }
    const code = error?.code ?? 'unknown';
    if (code === 'messaging/registration-token-not-registered') {
      return (await proveProject()) ? { kind: 'gone' } : { kind: 'retry', error: 'PROJECT_NOT_FOUND', isDown: true };
    }
    if (code === 'messaging/invalid-argument') {
      return /registration token/i.test(error?.message ?? '') ? { kind: 'gone' } : { kind: 'refused', error: code };
    }
    // The token belongs to another sender's app: it may be right, but never for us.
    if (code === 'messaging/mismatched-credential') return { kind: 'refused', error: code };
    // The library hides why the network failed in the end of its message.
    const cause = /Error code: (\w+)/.exec(error?.message ?? '')?.[1];
    return { kind: 'retry', error: cause ?? code, isDown: !TOO_MANY.has(code) };
  }

  return {
    atOnce: CALLS_AT_ONCE,
    divide: (pushes) =>
      Array.from({ length: Math.ceil(pushes.length / MOST_PER_CALL) }, (_, index) =>
        pushes.slice(index * MOST_PER_CALL, (index + 1) * MOST_PER_CALL),
      ),
    async send(pushes) {
      const badges = await unreadCounts([...new Set(pushes.map(({ device }) => device.userId.toHexString()))]);
      const { responses } = await messaging.sendEach(pushes.map((push) => messageOf(push, badges)));
      const results: DeviceResult[] = [];
      for (const response of responses) results.push(await resultOf(response));
      return results;
    },
    close: () => deleteApp(app),
  };
}

function messageOf({ notification, device }: Push, badges: Map<string, number>): Message {
  const { title, body, type, deepLink, groupKey, createdAt } = notification;
  const collapseId = collapseIdOf(notification);
  const { urgency, ttlSeconds } = NOTIFICATION_TYPES[type];
  const id = notification._id.toHexString();
  const expiresAt = Math.floor(createdAt.getTime() / 1_000) + ttlSeconds;
  const data = { notificationId: id, type, deepLink };
  const excess = Buffer.byteLength(JSON.stringify({ title, body, data })) - MOST_BYTES;
  return {
    token: device.address,
    notification: { title, body: excess > 0 ? shortenBy(body, excess) : body },
    data,
    android: {
      collapseKey: collapseId,
      priority: urgency,
      ttl: ttlSeconds * 1_000,
      notification: { tag: collapseId },
    },
    apns: {
      headers: {
        'apns-push-type': 'alert',
        'apns-collapse-id': collapseId,
        'apns-priority': '10',
        'apns-expiration': String(expiresAt),
      },
      payload: {
        aps: { sound: 'default', badge: badges.get(device.userId.toHexString()) ?? 0, threadId: groupKey },
      },
    },
  };
}
