import { type Request, type Response } from 'express';
import { type Clock, MINUTE, SECOND } from '../../../core/clock.js';
import { badRequest, forbidden, notFound } from '../../../core/http/problem.js';
import { readRaw } from '../../../core/http/raw-body.js';
import { anyone, orKeyWith, roles, type Route, route } from '../../../core/http/route.js';
import { type FeedbackService } from './feedback.service.js';
import { type MailReports } from './mail-reports.js';
import { newsOf } from './sendgrid-events.js';
import { type SignedRequest } from './sendgrid-signature.js';

export interface FeedbackRouteDeps {
  feedback: FeedbackService;
  reports: MailReports;
  clock: Clock;
  /** Absent where SendGrid's key is not configured. */
  isFromSendGrid: ((request: SignedRequest) => boolean) | undefined;
}

/** SendGrid posts up to 768 kB at once; a report holds one of our own mails, or its headers. */
const MOST_BYTES = 1_048_576;
/** What is older, or of the future, may be a copy of something that has been forgotten. */
const MOST_OFF_MS = 10 * MINUTE;

/** Where providers tell what became of mails. */
export function feedbackRoutes({ feedback, reports, clock, isFromSendGrid }: FeedbackRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/webhooks/sendgrid',
      tag: 'webhooks',
      summary: 'What became of mails that SendGrid has taken',
      description:
        'SendGrid’s event webhook, with its signature (`X-Twilio-Email-Event-Webhook-Signature` and `-Timestamp`). ' +
        'The body is a list of events. Those about mails of ours bring the deliveries up to date; hard bounces, ' +
        'complaints and unsubscriptions suppress the address. Each event counts once, in whatever order they come. ' +
        'Without SENDGRID_WEBHOOK_KEY there is no such route.',
      access: anyone,
      unmetered: true,
      upload: ['application/json'],
      problems: ['WEBHOOK_NOT_CONFIGURED', 'SIGNATURE_INVALID', 'SIGNATURE_EXPIRED', 'MALFORMED_JSON', 'NO_LIST'],
      answer: { status: 204 },
      async handle({ request, response }) {
        if (!isFromSendGrid) throw notFound('WEBHOOK_NOT_CONFIGURED', 'SENDGRID_WEBHOOK_KEY is not set.');
        const body = await readSigned(request, response, isFromSendGrid, clock.now());
        await feedback.take(
          'sendgrid',
          listIn(body).flatMap((event) => newsOf(event) ?? []),
        );
      },
    }),
    route({
      method: 'post',
      path: '/webhooks/mail',
      tag: 'webhooks',
      summary: 'A mail that came back to the sender of ours, as a mail server hands it on',
      description:
        'A delivery status notification (RFC 3464) brings the delivery up to date that it names; with a status of ' +
        '5.x.x it suppresses the address. Other mails, and those about mails that we have not sent, change nothing.',
      access: orKeyWith('feedback:write', roles('admin')),
      upload: ['message/rfc822'],
      problems: ['MALFORMED_MAIL'],
      answer: { status: 204 },
      handle: async ({ request, response }) => reports.take(await readRaw(request, response, MOST_BYTES)),
    }),
  ];
}

async function readSigned(
  request: Request,
  response: Response,
  isGood: (request: SignedRequest) => boolean,
  now: Date,
): Promise<Buffer> {
  const header = (name: string): string => request.get(`X-Twilio-Email-Event-Webhook-${name}`) ?? '';
  const [signature, timestamp] = [header('Signature'), header('Timestamp')];
  const body = await readRaw(request, response, MOST_BYTES);
  if (signature === '' || !/^\d{1,12}$/.test(timestamp) || !isGood({ signature, timestamp, body })) {
    throw forbidden('SIGNATURE_INVALID', 'This was not signed with the key that SENDGRID_WEBHOOK_KEY belongs to.');
  }
  if (Math.abs(now.getTime() - Number(timestamp) * SECOND) > MOST_OFF_MS) {
    throw forbidden('SIGNATURE_EXPIRED', 'This was not signed just now.');
  }
  return body;
}

function listIn(body: Buffer): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('MALFORMED_JSON', 'The body is not valid JSON.');
  }
  if (!Array.isArray(value)) throw badRequest('NO_LIST', 'The body must be a list of events.');
  return value;
}
