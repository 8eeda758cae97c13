import { createECDH, randomBytes, randomUUID, type ECDH } from 'node:crypto';
import ece from 'http_ece';
import { type Authority } from './certificates.js';
import { Inbox } from './inbox.js';
import { asError, LocalHttps, LOOPBACK, retryAfterHeader, type Reply, type Request } from './loopback.js';
import { verifyVapid, type Vapid } from './vapid.js';

/** What a browser hands to the site after `pushManager.subscribe()`. */
export interface PushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

export interface ReceivedPush {
  at: Date;
  endpoint: string;
  /** Decrypted and parsed; `undefined` for a push without a body. */
  payload: unknown;
  ttl: number;
  urgency: string | undefined;
  topic: string | undefined;
  vapid: Vapid;
}

interface Browser {
  endpoint: string;
  keyPair: ECDH;
  auth: string;
  applicationServerKey: string | undefined;
  expired: boolean;
}

const LARGEST_PAYLOAD = 4096;

/** A push service together with the browsers behind it. */
export class WebPushEdge {
  readonly #inbox = new Inbox<ReceivedPush>(
    ({ endpoint, payload }) =>
      `push to ${endpoint} ${payload === undefined ? 'without a body' : JSON.stringify(payload)}`,
  );
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  /** Forgets messages, faults and hooks; subscriptions stay as they are. */
  readonly clear = this.#inbox.clear;
  readonly #browsers = new Map<string, Browser>();
  readonly #server: LocalHttps;

  constructor(authority: Authority) {
    this.#server = new LocalHttps(authority, [LOOPBACK, 'localhost'], (request) => this.#answer(request));
  }

  get port(): number {
    return this.#server.port;
  }

  get origin(): string {
    return `https://${LOOPBACK}:${this.port}`;
  }

  start(port = 0): Promise<void> {
    return this.#server.start(port);
  }

  async stop(): Promise<void> {
    this.#inbox.close();
    await this.#server.stop();
  }

  /** A new browser that allows pushes, from the holder of one VAPID key only if that is given. */
  subscribe(applicationServerKey?: string): PushSubscription {
    const path = `/push/${randomUUID()}`;
    const keyPair = createECDH('prime256v1');
    const p256dh = keyPair.generateKeys('base64url');
    const auth = randomBytes(16).toString('base64url');
    const endpoint = `${this.origin}${path}`;
    this.#browsers.set(path, { endpoint, keyPair, auth, applicationServerKey, expired: false });
    return { endpoint, keys: { p256dh, auth } };
  }

  /** The person takes the permission back: 410 from now on. */
  expire(endpoint: string): void {
    const browser = this.#browsers.get(new URL(endpoint).pathname);
    if (browser === undefined) throw new Error(`no subscription has the endpoint ${endpoint}`);
    browser.expired = true;
  }

  async #answer(request: Request): Promise<Reply | undefined> {
    const browser = this.#browsers.get(request.path);
    if (request.method !== 'POST') return this.#refuse(405, 'pushes are sent by POST');
    if (browser === undefined) return this.#refuse(404, `unknown subscription ${request.path}`);
    if (browser.expired) return this.#refuse(410, `expired subscription ${browser.endpoint}`);
    const opened = this.#open(request, browser);
    if ('status' in opened) return opened;

    const verdict = await this.#inbox.receive(opened);
    switch (verdict.kind) {
      case 'accept':
        return { status: 201, headers: { Location: `${this.origin}/message/${randomUUID()}` } };
      case 'refuse': {
        const { status, retryAfter, body = '' } = verdict.fault;
        return { status, headers: retryAfterHeader(retryAfter), body };
      }
      case 'cut':
        return undefined;
    }
  }

  /** Checks the request as a push service does and decrypts it as the browser does. */
  #open({ headers, body }: Request, browser: Browser): ReceivedPush | Reply {
    let vapid: Vapid;
    try {
      vapid = verifyVapid(headers.authorization, this.origin);
    } catch (error) {
      return this.#refuse(403, `VAPID: ${asError(error).message}`);
    }
    if (browser.applicationServerKey !== undefined && browser.applicationServerKey !== vapid.publicKey) {
      return this.#refuse(403, 'VAPID: the subscription belongs to another key');
    }
    const ttl = headers['ttl'];
    if (typeof ttl !== 'string' || !/^\d+$/.test(ttl)) return this.#refuse(400, 'TTL is missing or not a number');
    if (body.length > LARGEST_PAYLOAD) return this.#refuse(413, `${body.length} bytes are too many`);
    if (body.length > 0 && headers['content-encoding'] !== 'aes128gcm') {
      return this.#refuse(400, 'Content-Encoding is not aes128gcm');
    }
    try {
      return {
        at: new Date(),
        endpoint: browser.endpoint,
        payload: body.length === 0 ? undefined : decrypt(body, browser),
        ttl: Number(ttl),
        urgency: single(headers['urgency']),
        topic: single(headers['topic']),
        vapid,
      };
    } catch (error) {
      // A real service cannot know this; a test should hear of it at once.
      return this.#refuse(400, `the browser cannot read it: ${asError(error).message}`);
    }
  }

  #refuse(status: number, reason: string): Reply {
    this.#inbox.reject({ status, reason });
    return { status, body: reason };
  }
}

function decrypt(body: Buffer, { keyPair, auth }: Browser): unknown {
  const plain = ece.decrypt(body, { version: 'aes128gcm', privateKey: keyPair, authSecret: auth });
  return JSON.parse(plain.toString('utf8'));
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
