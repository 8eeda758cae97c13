import { type Agent } from 'node:https';
import webPush from 'web-push';
import { type DeviceResult } from './device-results.js';
import { collapseIdOf, type Push, type PushTransport } from './push-transport.js';
import { parseRetryAfter } from './retry-after.js';
import { shortenBy } from './shorten.js';
import { NOTIFICATION_TYPES } from '../notification.types.js';

export interface VapidKeys {
  subject: string;
  publicKey: string;
  privateKey: string;
}

const AT_ONCE = 50;
/** What a push service takes, 4,096 bytes encrypted, is this much in the clear. */
const MOST_BYTES = 3_900;

export interface WebPushOptions {
  vapid: VapidKeys;
  agent: Agent;
  timeoutMs: number;
}

/** Web push by VAPID (RFC 8030, 8291, 8292). The topic makes a service replace an undelivered copy of the same line. */
export function createWebPushTransport({ vapid, agent, timeoutMs }: WebPushOptions): PushTransport {
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
          topic: collapseIdOf(notification),
          timeout: timeoutMs,
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
    atOnce: AT_ONCE,
    divide: (pushes) => pushes.map((push) => [push]),
    serviceOf: ({ device }) => new URL(device.address).host,
    send: (pushes) => Promise.all(pushes.map(sendOne)),
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function payloadOf(notification: Push['notification']): string {
  const { _id, type, title, body, deepLink, locale } = notification;
  // With the tag a browser replaces what it shows already of the same line.
  const tag = collapseIdOf(notification);
  const content = { id: _id.toHexString(), tag, type, title, body, deepLink, dir: locale === 'ar' ? 'rtl' : 'ltr' };
  const excess = Buffer.byteLength(JSON.stringify(content)) - MOST_BYTES;
  return JSON.stringify(excess > 0 ? { ...content, body: shortenBy(body, excess) } : content);
}

/** The library's words for having waited too long. */
const TIMED_OUT = 'Socket timeout';

function resultOf(error: unknown): DeviceResult {
  if (!(error instanceof webPush.WebPushError)) {
    const { code, message = 'NO_ANSWER' } = error as { code?: string; message?: string };
    return { kind: 'retry', error: message === TIMED_OUT ? 'ETIMEDOUT' : (code ?? message), isDown: true };
  }
  const { statusCode, headers } = error;
  if (statusCode === 404 || statusCode === 410) return { kind: 'gone' };
  if (statusCode === 429 || statusCode >= 500) {
    const retryAfterMs = parseRetryAfter((headers as Record<string, string | undefined>)['retry-after']);
    // Too many for this subscription, mostly: the service itself is well.
    const isDown = statusCode !== 429;
    return { kind: 'retry', error: `HTTP_${statusCode}`, isDown, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { kind: 'refused', error: `HTTP_${statusCode}` };
}
