import { type Cause, causeOf } from '../../../core/observability/tracing.js';
import { type Notification } from '../notification.model.js';
import { type MailSecrets } from './email-content.js';
import { fitSms } from './sms-text.js';

/** A message to a phone. */
export interface Sms extends Cause {
  notificationId: string;
  userId: string;
  /** The number, in its international form. */
  to: string;
  text: string;
}

/** What a message tells of a notification. */
type Told = Pick<Notification, '_id' | 'userId' | 'title' | 'body' | 'deepLink' | 'entity' | 'traceparent'>;

/** What messages are made from, beside the notification and the number. */
export interface SmsContext {
  publicUrl: string;
  mailSecrets: Pick<MailSecrets, 'revealCode'>;
}

/**
 * The message for a notification: title, what there is room for of its body, and where to read on. The place within the
 * page is left out of the link; it would take up half a message. A code stands alone with what it is for, since phones
 * offer to fill it in, and nothing in it is worth opening.
 */
export function renderSms(notification: Told, to: string, { publicUrl, mailSecrets }: SmsContext): Sms {
  const { _id, userId, title, body, deepLink, entity } = notification;
  const code = mailSecrets.revealCode({ kind: entity.kind ?? '', id: entity.id ?? '' });
  return {
    notificationId: _id.toHexString(),
    userId: userId.toHexString(),
    to,
    ...causeOf(notification),
    text: code === undefined ? fitSms(wordsOf(title, body), shortLink(deepLink, publicUrl)) : `${title}: ${code}`,
  };
}

function wordsOf(title: string, body: string): string {
  return body === '' ? title : `${title}\n${body}`;
}

function shortLink(deepLink: string, publicUrl: string): string {
  const url = new URL(deepLink, publicUrl);
  url.hash = '';
  return url.href;
}
