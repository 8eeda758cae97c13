import { closureOf } from '../delivery/twilio-codes.js';
import { type DeliveryNews } from './feedback.service.js';
import { type Feedback } from './feedback.js';

/** What a user has answered to an SMS. */
export interface PhoneReply {
  /** Twilio's id of the message. */
  eventId: string;
  number: string;
  wants: 'nothing' | 'everything';
}

const SID = /^(SM|MM)[0-9a-f]{32}$/;
const NOTIFICATION_ID = /^[0-9a-f]{24}$/;

/** As Twilio names them; what is new to us, or says no more than that it was asked for, says nothing. */
const KINDS: Partial<Record<string, Feedback['kind']>> = {
  accepted: 'taken',
  queued: 'taken',
  sending: 'taken',
  sent: 'taken',
  delivered: 'delivered',
  read: 'opened',
  undelivered: 'bounced',
  failed: 'bounced',
};

/** What a status callback tells of one of our messages, if anything; the notification stands in the URL it was given. */
export function statusOf(
  notificationId: string | undefined,
  form: URLSearchParams,
  at: Date,
): DeliveryNews | undefined {
  const [sid, status, number] = [form.get('MessageSid') ?? '', form.get('MessageStatus') ?? '', form.get('To') ?? ''];
  const kind = KINDS[status];
  if (!SID.test(sid) || notificationId === undefined || !NOTIFICATION_ID.test(notificationId) || !kind)
    return undefined;
  const news = { channel: 'sms', eventId: `${sid}:${status}`, notificationId } as const;
  if (kind !== 'bounced') return { ...news, feedback: { kind, at } };
  const code = /^\d{5}$/.exec(form.get('ErrorCode') ?? '')?.[0];
  const suppress = closureOf(Number(code));
  return {
    ...news,
    feedback: { kind, at, error: code === undefined ? 'UNDELIVERED' : `TWILIO_${code}` },
    ...(suppress && number !== '' && { suppress: { ...suppress, address: number } }),
  };
}

/** As carriers understand them, and in the other language of ours. */
const STOP = new Set([
  'STOP',
  'STOPALL',
  'UNSUBSCRIBE',
  'CANCEL',
  'END',
  'QUIT',
  'إيقاف',
  'ايقاف',
  'توقف',
  'إلغاء',
  'الغاء',
]);
const START = new Set(['START', 'UNSTOP', 'YES', 'ابدأ', 'ابدا', 'نعم']);

/** What an incoming message asks for, if it is STOP or START; Twilio says which where it has understood it itself. */
export function replyOf(form: URLSearchParams): PhoneReply | undefined {
  const [eventId, number] = [form.get('MessageSid') ?? '', form.get('From') ?? ''];
  if (!SID.test(eventId) || !/^\+[1-9]\d{5,14}$/.test(number)) return undefined;
  const word = (form.get('OptOutType') ?? form.get('Body') ?? '').normalize('NFC').trim().toUpperCase();
  if (STOP.has(word)) return { eventId, number, wants: 'nothing' };
  return START.has(word) ? { eventId, number, wants: 'everything' } : undefined;
}
