import Handlebars from 'handlebars';
import { type Contact } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { unsubscribeHeaders, type UnsubscribeLinks } from '../unsubscribe/unsubscribe-links.js';

export interface Email {
  notificationId: string;
  userId: string;
  /** What it is about, for a provider's statistics. */
  categories: string[];
  to: { name: string; address: string };
  /** The same for every attempt, so that a mail sent twice is one mail to a reader. */
  messageId: string;
  /** Further headers of this mail alone. */
  headers: Record<string, string>;
  subject: string;
  text: string;
  html: string;
}

const WORDS = {
  en: {
    open: 'Open in Atrium',
    why: 'You get this because of your notification settings.',
    whySecurity: 'You get this because it concerns the security of your account.',
    settings: 'Change them',
    sessions: 'See your sessions',
  },
  ar: {
    open: 'افتح في أتريوم',
    why: 'تصلك هذه الرسالة وفق إعدادات الإشعارات لديك.',
    whySecurity: 'تصلك هذه الرسالة لأنها تخص أمان حسابك.',
    settings: 'تغيير الإعدادات',
    sessions: 'عرض جلساتك',
  },
};

/** Everything between double braces is escaped. */
const page = Handlebars.compile(
  `<!doctype html>
<html lang="{{locale}}" dir="{{dir}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;font-family:system-ui,'Segoe UI',Tahoma,sans-serif">
  <table role="presentation" width="100%" style="max-width:560px;margin:0 auto;background:#fff;border-radius:8px">
    <tr><td dir="{{dir}}" style="padding:24px;text-align:{{start}};color:#18181b">
      <h1 style="margin:0 0 12px;font-size:18px">{{title}}</h1>
      <p style="margin:0 0 20px;font-size:15px;line-height:1.6;white-space:pre-line">{{body}}</p>
      {{#if code}}<p dir="ltr" style="margin:0 0 20px;font-size:28px;letter-spacing:6px">{{code}}</p>{{/if}}
      <a href="{{link}}" style="display:inline-block;padding:10px 18px;background:#1d4ed8;color:#fff;border-radius:6px;text-decoration:none">{{words.open}}</a>
      <p style="margin:24px 0 0;font-size:12px;color:#71717a">{{why}} <a href="{{settingsLink}}">{{settings}}</a></p>
    </td></tr>
  </table>
</body>
</html>
`,
  { strict: true },
);

/**
 * What only its recipient's mailbox may hold, such as a link with a one-time token: what is stored says which it is,
 * and the secret part is worked out anew whenever the mail is written.
 */
export interface MailSecrets {
  /** The link as it must be to work. */
  completeLink: (deepLink: string, entity: { kind: string; id: string }) => string;
  /** The code that the mail is to show, if it is of that kind. */
  revealCode: (entity: { kind: string; id: string }) => string | undefined;
}

/** What mails are made from, beside the notification and its recipient. */
export interface EmailContext {
  publicUrl: string;
  /** The domain of message ids. */
  host: string;
  mailSecrets: MailSecrets;
  /** For unsubscribing. */
  links: Pick<UnsubscribeLinks, 'linkFor'>;
}

/** Where a notification is mailed to. */
export function addressOf({ mailTo }: Pick<Notification, 'mailTo'>, contact: Contact): string {
  return mailTo ?? contact.email;
}

/** The e-mail for a notification, in its recipient's language and direction. */
export function renderEmail(
  notification: Notification,
  contact: Contact,
  { publicUrl, host, mailSecrets, links }: EmailContext,
): Email {
  const { title, body, locale, category, type, entity } = notification;
  const words = WORDS[locale];
  const about = { kind: entity.kind ?? '', id: entity.id ?? '' };
  const link = new URL(mailSecrets.completeLink(notification.deepLink, about), publicUrl).href;
  const code = mailSecrets.revealCode(about) ?? '';
  const isSecurity = category === 'security';
  const userId = notification.userId.toHexString();
  const [why, settings] = isSecurity ? [words.whySecurity, words.sessions] : [words.why, words.settings];
  const settingsLink = new URL(isSecurity ? '/settings/sessions' : '/settings/notifications', publicUrl).href;
  const rtl = locale === 'ar';
  return {
    notificationId: notification._id.toHexString(),
    userId,
    categories: [category, type],
    to: { name: contact.name, address: addressOf(notification, contact) },
    messageId: `<${notification._id.toHexString()}@${host}>`,
    // In the header alone: a link for each reader in the text would make each text another one.
    headers: isSecurity ? {} : unsubscribeHeaders(links.linkFor({ userId, category })),
    subject: title,
    text: `${title}\n\n${body}\n\n${code && `${code}\n\n`}${words.open}: ${link}\n\n${why} ${settings}: ${settingsLink}\n`,
    html: page({
      title,
      body,
      code,
      link,
      settingsLink,
      words,
      why,
      settings,
      locale,
      dir: rtl ? 'rtl' : 'ltr',
      start: rtl ? 'right' : 'left',
    }),
  };
}
