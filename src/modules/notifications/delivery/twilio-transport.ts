import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { type Agent } from 'node:https';
import { type SmsResult, type SmsTransport } from './sms-transport.js';
import { type Sms } from './sms-content.js';
import { parseRetryAfter } from './retry-after.js';
import { closureOf } from './twilio-codes.js';

export interface TwilioOptions {
  accountSid: string;
  authToken: string;
  /** A number, the name of a sender, or the id of a messaging service. */
  from: string;
  /** Its address, or that of a local server. */
  baseUrl: string;
  /** Where it is to tell what became of a message; the id of the notification is added. */
  callbackUrl: string | undefined;
  timeoutMs: number;
  agent: Agent;
}

const CALLS_AT_ONCE = 10;

/** Part of the answer to a call. */
interface Answer {
  sid?: string;
}

/** Part of the answer to one that was refused. */
interface Refusal {
  code?: number;
  message?: string;
}

/**
 * SMS by Twilio's API, a call for each. It has no key by which a repeated call would be sent once. Where the answer is
 * lost the message is tried again like any other, since what nobody gets is worse than what comes twice; but Twilio
 * tells what becomes of a message, and what it has said by then to have taken is not sent again.
 */
export function createTwilioTransport(options: TwilioOptions): SmsTransport {
  const { accountSid, authToken, from, baseUrl, callbackUrl, timeoutMs, agent } = options;
  const client: AxiosInstance = axios.create({
    baseURL: baseUrl,
    timeout: timeoutMs,
    maxRedirects: 0,
    httpsAgent: agent,
    proxy: false,
    auth: { username: accountSid, password: authToken },
  });
  const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
  const sender = isService(from) ? { MessagingServiceSid: from } : { From: from };

  return {
    atOnce: CALLS_AT_ONCE,
    async send({ to, text, notificationId }: Sms) {
      const form = new URLSearchParams({
        To: to,
        ...sender,
        Body: text,
        ...(callbackUrl !== undefined && { StatusCallback: `${callbackUrl}?notificationId=${notificationId}` }),
      });
      try {
        const { data } = await client.post<Answer>(path, form);
        return { outcome: { kind: 'sent', ...(data.sid !== undefined && { providerMessageId: data.sid }) } };
      } catch (error) {
        return failureOf(error);
      }
    },
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** Whether that names a messaging service and not a sender. */
function isService(from: string): boolean {
  return /^MG[0-9a-f]{32}$/.test(from);
}

/**
 * The message is well, but the account, its sender or its queue is not: for the operator to mend, or to be waited for.
 * 20003 and 20005: not let in, suspended. 21603, 21606, 21659 to 21661, 21701 to 21705: no such sender or service. 21611:
 * the sender's queue is full.
 */
const NOT_THE_MESSAGE = new Set([
  20003, 20005, 21603, 21606, 21611, 21659, 21660, 21661, 21701, 21702, 21703, 21704, 21705,
]);

function failureOf(error: unknown): SmsResult {
  if (!isAxiosError<Refusal | undefined>(error)) throw error;
  const { response, code } = error;
  if (!response) {
    // axios' word for having waited too long.
    const word = code === 'ECONNABORTED' ? 'ETIMEDOUT' : (code ?? 'NO_ANSWER');
    return { outcome: { kind: 'retry', error: word }, verdict: { error: word } };
  }
  const { status, data, headers } = response;
  const number = typeof data?.code === 'number' ? data.code : undefined;
  const word = `TWILIO_${number ?? status}`;
  const detail = typeof data?.message === 'string' ? { detail: data.message } : {};
  if (status === 400 && !(number !== undefined && NOT_THE_MESSAGE.has(number))) {
    const suppress = closureOf(number);
    return { outcome: { kind: 'dead', error: word, ...detail }, ...(suppress && { suppress }) };
  }
  const field: unknown = headers['retry-after'];
  const retryAfterMs = parseRetryAfter(typeof field === 'string' ? field : undefined);
  return {
    outcome: { kind: 'retry', error: word, ...detail, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    verdict: { error: word, ...(retryAfterMs !== undefined && { pauseMs: retryAfterMs }) },
  };
}
