import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { createHash } from 'node:crypto';
import { type Agent } from 'node:https';
import { NOTIFICATION_TYPES } from '../notification.types.js';
import { type DeviceResult } from './device-results.js';
import { type Push, type PushTransport } from './push-transport.js';
import { parseRetryAfter } from './retry-after.js';
import { shortenBy } from './shorten.js';

export interface OneSignalOptions {
  appId: string;
  apiKey: string;
  /** Its address, or that of a local server. */
  baseUrl: string;
  timeoutMs: number;
  agent: Agent;
}

/** How many devices are named in one call. */
const MOST_PER_CALL = 1_000;
const CALLS_AT_ONCE = 5;
/** Texts and data; what wraps them on the way to a phone needs the rest of 4,096 bytes. */
const MOST_BYTES = 3_000;

/** Part of the answer to a call. */
interface Answer {
  /** Empty where nothing was sent to anybody. */
  id?: string;
  /** Words, or the devices that do not exist. */
  errors?: string[] | { invalid_player_ids?: string[] };
}

/**
 * Phones by OneSignal, whose ids of subscriptions are the tokens. What is the same for many goes to a thousand in one
 * call. A call that is made again carries the same key, by which OneSignal sends it once.
 */
export function createOneSignalTransport(options: OneSignalOptions): PushTransport {
  const { appId, apiKey, baseUrl, timeoutMs, agent } = options;
  const client: AxiosInstance = axios.create({
    baseURL: baseUrl,
    timeout: timeoutMs,
    maxRedirects: 0,
    httpsAgent: agent,
    proxy: false,
    headers: { Authorization: `Key ${apiKey}` },
  });

  return {
    atOnce: CALLS_AT_ONCE,
    divide,
    async send(pushes) {
      const tokens = pushes.map(({ device }) => device.address);
      const [first] = pushes as [Push];
      try {
        const { data } = await client.post<Answer>('/notifications', {
          app_id: appId,
          target_channel: 'push',
          include_subscription_ids: tokens,
          idempotency_key: keyOf(pushes),
          ...contentOf(first),
        });
        return tokens.map((token) => resultFor(token, data));
      } catch (error) {
        const result = failureOf(error);
        return tokens.map(() => result);
      }
    },
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** By content, which is the same for a whole call. */
function divide(pushes: Push[]): Push[][] {
  const byContent = new Map<string, Push[]>();
  for (const push of pushes) {
    const key = JSON.stringify(contentOf(push));
    const alike = byContent.get(key);
    if (alike) alike.push(push);
    else byContent.set(key, [push]);
  }
  return [...byContent.values()].flatMap((alike) =>
    Array.from({ length: Math.ceil(alike.length / MOST_PER_CALL) }, (_, index) =>
      alike.slice(index * MOST_PER_CALL, (index + 1) * MOST_PER_CALL),
    ),
  );
}

/** Nothing of the recipient: the app finds the notification by the key of what happened, which is one's own only once. */
function contentOf({ notification }: Push) {
  const { type, title, body, deepLink, dedupeKey, groupKey, line } = notification;
  const { urgency, ttlSeconds } = NOTIFICATION_TYPES[type];
  const data = { type, deepLink, dedupeKey };
  const excess = Buffer.byteLength(JSON.stringify({ title, body, data })) - MOST_BYTES;
  return {
    // Whatever the language of the text: the one that is shown where the phone's own is missing.
    headings: { en: title },
    contents: { en: (excess > 0 ? shortenBy(body, excess) : body) || title },
    data,
    // A repeated push replaces the first on the device, and a newer one of a line the one before; these keys may have 64 characters.
    collapse_id: digestOf([line?.toHexString() ?? dedupeKey]).toString('base64url'),
    thread_id: groupKey,
    android_group: groupKey,
    ios_badgeType: 'Increase',
    ios_badgeCount: 1,
    ttl: ttlSeconds,
    ...(urgency === 'high' && { priority: 10 }),
  };
}

/** A UUID that follows from what is sent to which devices. */
function keyOf(pushes: readonly Push[]): string {
  const parts = pushes.map(({ notification, device }) => `${notification._id.toHexString()} ${device.address}`);
  const bytes = digestOf(parts.sort());
  // Version 8, "whatever one likes", of the variant of RFC 9562.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function digestOf(parts: readonly string[]): Buffer {
  return createHash('sha256').update(parts.join('\n')).digest();
}

function resultFor(token: string, { id, errors = [] }: Answer): DeviceResult {
  if (!Array.isArray(errors) && errors.invalid_player_ids?.includes(token) === true) return { kind: 'gone' };
  // Pushes may be switched off on the phone for now: its token stays.
  if (id === undefined || id === '') return { kind: 'refused', error: 'NOT_SUBSCRIBED' };
  return { kind: 'accepted', providerMessageId: id };
}

/** The content itself is at fault. */
const FINAL = new Set([400, 413, 422]);

function failureOf(error: unknown): DeviceResult {
  if (!isAxiosError(error)) throw error;
  const { response, code } = error;
  if (!response) {
    // axios' word for having waited too long.
    return { kind: 'retry', error: code === 'ECONNABORTED' ? 'ETIMEDOUT' : (code ?? 'NO_ANSWER'), isDown: true };
  }
  const { status, headers } = response;
  if (FINAL.has(status)) return { kind: 'refused', error: `ONESIGNAL_${status}` };
  const field: unknown = headers['retry-after'];
  const retryAfterMs = parseRetryAfter(typeof field === 'string' ? field : undefined);
  return {
    kind: 'retry',
    error: `ONESIGNAL_${status}`,
    isDown: status !== 429,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
