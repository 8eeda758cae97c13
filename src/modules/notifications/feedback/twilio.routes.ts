import { type Clock } from '../../../core/clock.js';
import { FORM_TYPE } from '../../../core/http/input.js';
import { forbidden, notFound } from '../../../core/http/problem.js';
import { readRaw } from '../../../core/http/raw-body.js';
import { anyone, type Route, route } from '../../../core/http/route.js';
import { described, shape, text } from '../../../core/http/schema.js';
import { type FeedbackService } from './feedback.service.js';
import { type PhoneReplies } from './phone-replies.js';
import { TWILIO_WEBHOOK } from './twilio-callback.js';
import { replyOf, statusOf } from './twilio-events.js';
import { type TwilioRequest } from './twilio-signature.js';

export interface TwilioRouteDeps {
  feedback: FeedbackService;
  replies: PhoneReplies;
  clock: Clock;
  /** Absent where Twilio is not configured. */
  isFromTwilio: ((request: TwilioRequest) => boolean) | undefined;
}

/** An SMS of ten parts and some thirty fields beside it. */
const MOST_BYTES = 65_536;
/** Nothing is answered to whoever has written. */
const SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/** Where Twilio tells what became of SMS, and what people answer to them. */
export function twilioRoutes({ feedback, replies, clock, isFromTwilio }: TwilioRouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: TWILIO_WEBHOOK,
      tag: 'webhooks',
      summary: 'What became of SMS that Twilio has taken, and what people answer to them',
      description:
        'Twilio’s status callback, and the webhook of incoming messages, with its signature (`X-Twilio-Signature`) ' +
        'over the URL as `PUBLIC_URL` gives it. Statuses bring the deliveries up to date, in whatever order they ' +
        'come; STOP keeps SMS from a number, until START. Each counts once. Without Twilio’s settings there is no ' +
        'such route.',
      access: anyone,
      unmetered: true,
      query: shape({}, { notificationId: described(text({ max: 24 }), 'From the URL that Twilio was given.') }),
      upload: [FORM_TYPE],
      problems: ['WEBHOOK_NOT_CONFIGURED', 'SIGNATURE_INVALID'],
      answer: { status: 200, contentType: 'text/xml; charset=utf-8', description: 'Nothing to be answered' },
      async handle({ query: { notificationId }, request, response }) {
        if (!isFromTwilio) throw notFound('WEBHOOK_NOT_CONFIGURED', 'SMS_URL is not set.');
        const form = new URLSearchParams((await readRaw(request, response, MOST_BYTES)).toString('utf8'));
        const signature = request.get('X-Twilio-Signature') ?? '';
        if (!isFromTwilio({ path: request.originalUrl, form, signature })) {
          throw forbidden('SIGNATURE_INVALID', 'This was not signed with the token of the Twilio account.');
        }
        const status = statusOf(notificationId, form, clock.now());
        if (status) await feedback.take('twilio', [status]);
        const reply = status || form.has('MessageStatus') ? undefined : replyOf(form);
        if (reply) await replies.take(reply);
        return SILENCE;
      },
    }),
  ];
}
