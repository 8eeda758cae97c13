import nodemailer from 'nodemailer';
import { type EmailTransport } from './email-sender.js';
import { type Outcome } from './outcome.js';

const CONNECTIONS = 5;
const TIMEOUT_MS = 20_000;

/** Mail by SMTP over a pool of connections. */
export function createSmtpTransport({ url, from }: { url: string; from: string }): EmailTransport {
  const pool = nodemailer.createTransport(
    {
      url,
      pool: true,
      maxConnections: CONNECTIONS,
      maxMessages: Infinity,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      // Content comes from us; nothing in it may make the server read a file or fetch a URL.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    atOnce: CONNECTIONS,
    close: () => {
      pool.close();
      return Promise.resolve();
    },
    async send({ to, messageId, subject, text, html }): Promise<Outcome> {
      try {
        await pool.sendMail({ to, messageId, subject, text, html, headers: { 'Auto-Submitted': 'auto-generated' } });
        return { kind: 'sent', providerMessageId: messageId };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}

/** What is answered to the envelope or the message, and not at the door or to the sign-in. */
const ABOUT_THIS_MAIL = new Set<string | undefined>(['EENVELOPE', 'EMESSAGE']);

/** A 5xx answer to the message or its recipient is final; a refused connection or sign-in is the operator's to mend. */
function outcomeOf(error: unknown): Outcome {
  const { code, originalCode, responseCode } = error as { code?: string; originalCode?: string; responseCode?: number };
  const isFinal = responseCode !== undefined && responseCode >= 500 && ABOUT_THIS_MAIL.has(code);
  const name = responseCode === undefined ? (originalCode ?? code ?? 'SMTP_ERROR') : `SMTP_${responseCode}`;
  return isFinal ? { kind: 'dead', error: name } : { kind: 'retry', error: name };
}
