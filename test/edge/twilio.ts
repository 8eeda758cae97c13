import { createHmac, randomBytes } from 'node:crypto';
import { type Authority } from './certificates.js';
import { Inbox } from './inbox.js';
import { LocalHttps, LOOPBACK, retryAfterHeader, type Reply, type Request } from './loopback.js';

/** One message that was taken. */
export interface ReceivedSms {
  at: Date;
  sid: string;
  to: string;
  from: string;
  body: string;
  /** Where it is to be told what became of it. */
  callback: string | undefined;
}

const LONGEST_BODY = 1_600;
const WORDS: Record<number, string> = {
  20429: 'Too Many Requests',
  21211: 'Invalid ’To’ Phone Number',
  21408: 'Permission to send an SMS has not been enabled for the region',
  21606: 'The From phone number is not a valid, SMS-capable inbound phone number for your account',
  21610: 'Attempt to send to unsubscribed recipient',
  21614: '’To’ number is not a valid mobile number',
};

/** Twilio's Messages resource, and what it tells a webhook. */
export class TwilioEdge {
  readonly #inbox = new Inbox<ReceivedSms>(({ to, body }) => `SMS to ${to}: ${body}`);
  readonly received = this.#inbox.received;
  readonly rejected = this.#inbox.rejected;
  readonly faults = this.#inbox.faults;
  readonly waitFor = this.#inbox.waitFor;
  readonly onReceived = this.#inbox.onReceived;
  readonly clear = this.#inbox.clear;
  readonly accountSid = `AC${randomBytes(16).toString('hex')}`;
  readonly authToken = randomBytes(16).toString('hex');
  readonly from = '+15005550006';
  readonly #server: LocalHttps;
  readonly #refused = new Map<string, number>();

  constructor(authority: Authority) {
    this.#server = new LocalHttps(authority, [LOOPBACK, 'localhost'], (request) => this.#answer(request));
  }

  /** The settings of a node that sends by it. */
  get environment(): Record<string, string> {
    const { accountSid, authToken, from } = this;
    return { SMS_URL: `https://${accountSid}:${authToken}@${LOOPBACK}:${this.#server.port}?from=${from}` };
  }

  start(port = 0): Promise<void> {
    return this.#server.start(port);
  }

  async stop(): Promise<void> {
    this.#inbox.close();
    await this.#server.stop();
  }

  /** Refuses every message to that number, with this of its codes. */
  refuse(number: string, code: number): void {
    this.#refused.set(number, code);
  }

  /** The header that goes with a form which is posted to this URL. */
  signature(url: string, form: Record<string, string>): Record<string, string> {
    const fields = Object.keys(form)
      .sort()
      .map((name) => `${name}${form[name]!}`);
    const digest = createHmac('sha1', this.authToken).update(url + fields.join(''));
    return { 'x-twilio-signature': digest.digest('base64') };
  }

  async #answer(request: Request): Promise<Reply | undefined> {
    const path = `/2010-04-01/Accounts/${this.accountSid}/Messages.json`;
    if (request.method !== 'POST' || request.path !== path) return this.#refuse(404, 20404);
    const credentials = Buffer.from(`${this.accountSid}:${this.authToken}`).toString('base64');
    if (request.headers.authorization !== `Basic ${credentials}`) return this.#refuse(401, 20003);
    if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      return this.#refuse(415, 20415);
    }
    const form = new URLSearchParams(request.body.toString('utf8'));
    const [to, body, from] = [form.get('To') ?? '', form.get('Body') ?? '', form.get('From') ?? ''];
    if (!/^\+[1-9]\d{5,14}$/.test(to)) return this.#refuse(400, 21211);
    if (from !== this.from) return this.#refuse(400, 21606);
    if (body === '' || body.length > LONGEST_BODY) return this.#refuse(400, body === '' ? 21602 : 21617);
    const refusal = this.#refused.get(to);
    if (refusal !== undefined) return this.#refuse(400, refusal);

    const sid = `SM${randomBytes(16).toString('hex')}`;
    const item = { at: new Date(), sid, to, from, body, callback: form.get('StatusCallback') ?? undefined };
    const verdict = await this.#inbox.receive(item);
    if (verdict.kind === 'cut') return undefined;
    if (verdict.kind === 'refuse') {
      const { status, retryAfter, body: words } = verdict.fault;
      const reply = problem(status, status === 429 ? 20429 : 20500, retryAfterHeader(retryAfter));
      return { ...reply, ...(words !== undefined && { body: words }) };
    }
    return json(201, { sid, status: 'queued', to, from, body, error_code: null, error_message: null });
  }

  #refuse(status: number, code: number): Reply {
    this.#inbox.reject({ status, reason: `${code}` });
    return problem(status, code);
  }
}

function problem(status: number, code: number, headers: Record<string, string> = {}): Reply {
  const more = `https://www.twilio.com/docs/errors/${code}`;
  return json(status, { code, message: WORDS[code] ?? `error ${code}`, more_info: more, status }, headers);
}

function json(status: number, body: object, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
