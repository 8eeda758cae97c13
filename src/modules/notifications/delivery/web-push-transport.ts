import { type Agent } from 'node:https';
import pLimit from 'p-limit';
import webPush from 'web-push';
import { type DeviceResult } from './device-results.js';
import { type Push, type PushTransport } from './push-sender.js';
import { shortenBy } from './shorten.js';
import { NOTIFICATION_TYPES } from '../notification.types.js';

export interface VapidKeys {
  subject: string;
  publicKey: string;
  privateKey: string;
}

const AT_ONCE = 50;
const TIMEOUT_MS = 10_000;
/** What a push service takes, 4,096 bytes encrypted, is this much in the clear. */
const MOST_BYTES = 3_900;

/** Web push by VAPID (RFC 8030, 8291, 8292). The topic makes a service replace an undelivered copy of the same push. */
export function createWebPushTransport({ vapid, agent }: { vapid: VapidKeys; agent: Agent }): PushTransport {
  const limit = pLimit(AT_ONCE);

  async function sendOne({ notification, device }: Push): Promise<DeviceResult> {
    const { urgency, ttlSeconds } = NOTIFICATION_TYPES[notification.type];
    try {
      const response = await webPush.sendNotification(
        { endpoint: device.address, keys: { p256dh: device.keys?.p256dh ?? '', auth: device.keys?.auth ?? '' } },
        payloadOf(notification),
        {
          vapidDetails: vapid,
          TTL: ttlSeconds,
          urgency,
          topic: notification._id.toHexString(),
          timeout: TIMEOUT_MS,
          agent,
        },
      );
      const location = response.headers['location'];
      return { kind: 'accepted', ...(typeof location === 'string' && { providerMessageId: location.slice(0, 300) }) };
    } catch (error) {
      return resultOf(error);
    }
  }

  return {
    send: (pushes) => Promise.all(pushes.map((push) => limit(sendOne, push))),
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function payloadOf({ _id, type, title, body, deepLink, locale }: Push['notification']): string {
  const content = { id: _id.toHexString(), type, title, body, deepLink, dir: locale === 'ar' ? 'rtl' : 'ltr' };
  const excess = Buffer.byteLength(JSON.stringify(content)) - MOST_BYTES;
  return JSON.stringify(excess > 0 ? { ...content, body: shortenBy(body, excess) } : content);
}

function resultOf(error: unknown): DeviceResult {
  if (!(error instanceof webPush.WebPushError)) {
    return { kind: 'retry', error: error instanceof Error ? error.message : String(error) };
  }
  const { statusCode, headers } = error;
  if (statusCode === 404 || statusCode === 410) return { kind: 'gone' };
  if (statusCode === 429 || statusCode >= 500) {
    const retryAfterMs = parseRetryAfter((headers as Record<string, string | undefined>)['retry-after']);
    return { kind: 'retry', error: `HTTP_${statusCode}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { kind: 'refused', error: `HTTP_${statusCode}` };
}

/** Milliseconds from a `Retry-After` field: seconds or a date (RFC 9110). */
export function parseRetryAfter(field: string | undefined, now = Date.now()): number | undefined {
  if (field === undefined) return undefined;
  if (/^\d+$/.test(field.trim())) return Number(field) * 1_000;
  const date = Date.parse(field);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
