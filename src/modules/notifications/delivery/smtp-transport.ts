import nodemailer from 'nodemailer';
import { type Email } from './email-content.js';
import { type EmailResult, type EmailTransport, oneByOne } from './email-transport.js';

const CONNECTIONS = 5;

export interface SmtpOptions {
  url: string;
  from: string;
  timeoutMs: number;
}

/** Mail by SMTP over a pool of connections. */
export function createSmtpTransport({ url, from, timeoutMs }: SmtpOptions): EmailTransport {
  const pool = nodemailer.createTransport(
    {
      url,
      pool: true,
      maxConnections: CONNECTIONS,
      maxMessages: Infinity,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // Content comes from us; nothing in it may make the server read a file or fetch a URL.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );

  async function sendOne({ to, messageId, headers, subject, text, html }: Email): Promise<EmailResult> {
    try {
      await pool.sendMail({
        ...{ to, messageId, subject, text, html },
        headers: { 'Auto-Submitted': 'auto-generated', ...headers },
      });
      return { outcome: { kind: 'sent', providerMessageId: messageId } };
    } catch (error) {
      return resultOf(error);
    }
  }

  return {
    batchSize: 100,
    // A mail that comes in between waits for a few on each connection.
    bulkSize: 4 * CONNECTIONS,
    atOnce: CONNECTIONS,
    divide: oneByOne,
    send: (emails) => Promise.all(emails.map(sendOne)),
    close: () => {
      pool.close();
      return Promise.resolve();
    },
  };
}

/** What is answered to the envelope or the message, and not at the door or to the sign-in. */
const ABOUT_THIS_MAIL = new Set<string | undefined>(['EENVELOPE', 'EMESSAGE']);
/** The server closes the channel, whatever it was asked (RFC 5321, section 3.8). */
const CLOSING = 421;

interface SmtpFailure {
  code?: string;
  originalCode?: string;
  responseCode?: number;
  response?: string;
}

/** A 5xx answer to the message or its recipient is final; a refused connection or sign-in is the operator's to mend. */
function resultOf(failure: unknown): EmailResult {
  const { code, originalCode, responseCode, response } = failure as SmtpFailure;
  const isAboutMail = responseCode !== undefined && responseCode !== CLOSING && ABOUT_THIS_MAIL.has(code);
  const error = responseCode === undefined ? (originalCode ?? code ?? 'SMTP_ERROR') : `SMTP_${responseCode}`;
  const detail = response === undefined ? {} : { detail: response };
  if (isAboutMail && responseCode >= 500) return { outcome: { kind: 'dead', error, ...detail } };
  return { outcome: { kind: 'retry', error, ...detail }, ...(!isAboutMail && { verdict: { error } }) };
}
