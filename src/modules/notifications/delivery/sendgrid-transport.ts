import sendGrid from '@sendgrid/mail';
import { type Agent } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { type Email } from './email-content.js';
import { type EmailResult, type EmailTransport } from './email-transport.js';
import { parseRetryAfter } from './retry-after.js';

export interface SendGridOptions {
  apiKey: string;
  /** Another region's address, or a local one. */
  baseUrl: string;
  from: string;
  timeoutMs: number;
  agent: Agent;
}

/** What one call takes. */
const MOST_PER_CALL = 1_000;
const CALLS_AT_ONCE = 10;

/** The library's settings for calls, which its types leave out. */
interface Configurable {
  client: { setDefaultRequest(settings: Record<string, unknown>): void };
}

/** Mail by SendGrid's API: mails of one content go in one call, each to its own recipient with its own Message-ID. */
export function createSendGridTransport({ apiKey, baseUrl, from, timeoutMs, agent }: SendGridOptions): EmailTransport {
  // The library's own instance is shared by the whole process; every node has one of its own.
  const { MailService } = sendGrid as unknown as { MailService: new () => typeof sendGrid & Configurable };
  const service = new MailService();
  service.setApiKey(apiKey);
  service.setTimeout(timeoutMs);
  // Setting the key sets the address, so that this comes after it.
  service.client.setDefaultRequest({ baseUrl, httpsAgent: agent, maxRedirects: 0 });

  async function deliver(emails: Email[]): Promise<EmailResult[]> {
    const answer = await call(emails);
    if ('messageId' in answer) {
      return emails.map(() => ({ outcome: { kind: 'sent', providerMessageId: answer.messageId } }));
    }
    if (answer.status === 400) return withoutRefused(emails, answer);
    if (answer.status === 413 && emails.length > 1) {
      const middle = Math.ceil(emails.length / 2);
      return [...(await deliver(emails.slice(0, middle))), ...(await deliver(emails.slice(middle)))];
    }
    return emails.map(() => resultOf(answer));
  }

  /** One bad address makes SendGrid refuse the whole call: the others go again without it. */
  async function withoutRefused(emails: Email[], failure: Failure): Promise<EmailResult[]> {
    const refused = new Set(failure.fields.flatMap((field) => /^personalizations\.(\d+)\./.exec(field)?.[1] ?? []));
    const isRefused = (index: number): boolean => refused.size === 0 || refused.has(String(index));
    const others = emails.filter((_email, index) => !isRefused(index));
    const results = others.length === 0 ? [] : await deliver(others);
    return emails.map((_email, index) =>
      isRefused(index) ? resultOf(failure) : (results.shift() ?? resultOf(failure)),
    );
  }

  async function call(emails: Email[]): Promise<{ messageId: string } | Failure> {
    const [{ text, html, categories }] = emails as [Email];
    try {
      const [response] = await service.send({
        from,
        categories,
        headers: { 'Auto-Submitted': 'auto-generated' },
        content: [
          { type: 'text/plain', value: text },
          { type: 'text/html', value: html },
        ],
        // Links may hold one-time tokens, which are nobody else's business.
        trackingSettings: { clickTracking: { enable: false, enableText: false } },
        personalizations: emails.map(({ to, subject, messageId, headers, notificationId }) => ({
          to: { email: to.address, name: to.name },
          subject,
          headers: { 'Message-ID': messageId, ...headers },
          customArgs: { notificationId },
        })),
      });
      const { headers } = response as { headers: Record<string, string | undefined> };
      return { messageId: headers['x-message-id'] ?? '' };
    } catch (error) {
      return failureOf(error);
    }
  }

  return {
    batchSize: MOST_PER_CALL,
    atOnce: CALLS_AT_ONCE,
    divide,
    send: deliver,
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** By content: only recipient, subject and headers may differ within a call. */
function divide(emails: Email[]): Email[][] {
  // By the pages first: equal ones are one string as a rule, which a map finds without reading them.
  const byPage = new Map<string, Email[][]>();
  for (const email of emails) {
    const groups = byPage.get(email.html) ?? [];
    const alike = groups.find(([first]) => first && isAlike(first, email));
    if (alike) alike.push(email);
    else byPage.set(email.html, [...groups, [email]]);
  }
  return [...byPage.values()]
    .flat()
    .flatMap((alike) =>
      Array.from({ length: Math.ceil(alike.length / MOST_PER_CALL) }, (_, index) =>
        alike.slice(index * MOST_PER_CALL, (index + 1) * MOST_PER_CALL),
      ),
    );
}

function isAlike(one: Email, other: Email): boolean {
  return one.text === other.text && isDeepStrictEqual(one.categories, other.categories);
}

/** Why a call was not answered well. */
interface Failure {
  /** Absent where there was no answer. */
  status?: number;
  error: string;
  /** What SendGrid found wrong, by field. */
  fields: string[];
  detail?: string;
  retryAfterMs?: number;
}

interface LibraryError {
  /** The status, or why there is none. */
  code?: number | string;
  response?: {
    headers?: Record<string, string | undefined>;
    body?: { errors?: { field?: string | null; message?: string }[] };
  };
}

function failureOf(error: unknown): Failure {
  const { code, response } = error as LibraryError;
  if (typeof code !== 'number') {
    // axios' word for having waited too long.
    return { error: code === 'ECONNABORTED' ? 'ETIMEDOUT' : (code ?? 'SENDGRID_ERROR'), fields: [] };
  }
  const problems = Array.isArray(response?.body?.errors) ? response.body.errors : [];
  const detail = problems.map(({ message }) => message ?? '').join('; ');
  const retryAfterMs = parseRetryAfter(response?.headers?.['retry-after']);
  return {
    status: code,
    error: `SENDGRID_${code}`,
    fields: problems.flatMap(({ field }) => field ?? []),
    ...(detail !== '' && { detail }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The mail itself is at fault. */
const FINAL = new Set<number | undefined>([400, 413]);
/** A gateway gave up waiting for what is behind it, which may have taken the mails all the same. */
const UNCERTAIN = new Set<number | undefined>([502, 504]);
/** No connection came about. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function resultOf({ status, error, detail, retryAfterMs }: Failure): EmailResult {
  const words = detail === undefined ? {} : { detail };
  if (FINAL.has(status)) return { outcome: { kind: 'dead', error, ...words } };
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return {
    outcome: { kind: 'retry', error, ...words, ...wait },
    verdict: { error, ...(retryAfterMs !== undefined && { pauseMs: retryAfterMs }) },
    isUntaken: status === undefined ? NOT_SENT.has(error) : !UNCERTAIN.has(status),
  };
}
