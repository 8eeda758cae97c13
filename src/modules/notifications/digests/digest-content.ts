import Handlebars from 'handlebars';
import { type Contact } from '../../users/index.js';
import { type Email, type EmailContext } from '../delivery/email-content.js';
import { type Notification } from '../notification.model.js';
import { unsubscribeHeaders } from '../unsubscribe/unsubscribe-links.js';
import { type Digest } from './digest.model.js';

/** What a digest is about. */
export interface Gathered {
  /** The newest, newest first. */
  shown: readonly Notification[];
  /** How many there are besides. */
  more: number;
}

const NUMBERS = { en: new Intl.NumberFormat('en'), ar: new Intl.NumberFormat('ar-EG') };
const PLURALS = { en: new Intl.PluralRules('en'), ar: new Intl.PluralRules('ar') };

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

const WORDS = {
  en: {
    subject: { one: 'One notification you have not read', other: '# notifications you have not read' } satisfies Forms,
    more: { one: 'And one more', other: 'And # more' } satisfies Forms,
    open: 'See them in Atrium',
    why: 'You get this digest because of your notification settings.',
    settings: 'Change them',
  },
  ar: {
    subject: {
      one: 'إشعار واحد لم تقرأه',
      two: 'إشعاران لم تقرأهما',
      few: '# إشعارات لم تقرأها',
      many: '# إشعارًا لم تقرأها',
      other: '# إشعار لم تقرأها',
    } satisfies Forms,
    more: {
      one: 'وإشعار آخر',
      two: 'وإشعاران آخران',
      few: 'و# إشعارات أخرى',
      many: 'و# إشعارًا آخر',
      other: 'و# إشعار آخر',
    } satisfies Forms,
    open: 'اطّلع عليها في أتريوم',
    why: 'يصلك هذا الملخص وفق إعدادات الإشعارات لديك.',
    settings: 'تغيير الإعدادات',
  },
};

/** Everything between double braces is escaped. */
const page = Handlebars.compile(
  `<!doctype html>
<html lang="{{locale}}" dir="{{dir}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{subject}}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;font-family:system-ui,'Segoe UI',Tahoma,sans-serif">
  <table role="presentation" width="100%" style="max-width:560px;margin:0 auto;background:#fff;border-radius:8px">
    <tr><td dir="{{dir}}" style="padding:24px;text-align:{{start}};color:#18181b">
      <h1 style="margin:0 0 12px;font-size:18px">{{subject}}</h1>
      {{#each items}}<p style="margin:0 0 16px;font-size:15px;line-height:1.6"><a href="{{link}}" style="color:#1d4ed8;text-decoration:none">{{title}}</a>{{#if body}}<br><span style="color:#52525b">{{body}}</span>{{/if}}</p>
      {{/each}}
      {{#if more}}<p style="margin:0 0 16px;font-size:15px;color:#52525b">{{more}}</p>{{/if}}
      <a href="{{link}}" style="display:inline-block;padding:10px 18px;background:#1d4ed8;color:#fff;border-radius:6px;text-decoration:none">{{words.open}}</a>
      <p style="margin:24px 0 0;font-size:12px;color:#71717a">{{words.why}} <a href="{{settingsLink}}">{{words.settings}}</a></p>
    </td></tr>
  </table>
</body>
</html>
`,
  { strict: true },
);

/** The mail of a digest, in its recipient's language and direction; the same Message-ID for every attempt. */
export function renderDigest(
  { _id, userId: owner }: Digest,
  contact: Contact,
  { shown, more }: Gathered,
  { publicUrl, host, links }: Pick<EmailContext, 'publicUrl' | 'host' | 'links'>,
): Email {
  const { locale } = contact;
  const words = WORDS[locale];
  const [id, userId] = [_id.toHexString(), owner.toHexString()];
  const subject = counted(locale, words.subject, shown.length + more);
  const items = shown.map(({ title, body, deepLink }) => ({ title, body, link: new URL(deepLink, publicUrl).href }));
  const rest = more > 0 ? counted(locale, words.more, more) : '';
  const link = new URL('/notifications', publicUrl).href;
  const settingsLink = new URL('/settings/notifications', publicUrl).href;
  const lines = items.map((item) => [item.title, item.body, item.link].filter(Boolean).join('\n'));
  const isArabic = locale === 'ar';
  return {
    notificationId: id,
    userId,
    categories: ['digest'],
    to: { name: contact.name, address: contact.email },
    messageId: `<${id}@${host}>`,
    headers: unsubscribeHeaders(links.linkFor({ userId, category: 'digest' })),
    subject,
    text: `${[subject, ...lines, ...(rest ? [rest] : []), `${words.open}: ${link}`].join('\n\n')}\n\n${words.why} ${words.settings}: ${settingsLink}\n`,
    html: page({
      ...{ subject, items, more: rest, link, settingsLink, words, locale },
      dir: isArabic ? 'rtl' : 'ltr',
      start: isArabic ? 'right' : 'left',
    }),
  };
}

function counted(locale: keyof typeof WORDS, forms: Forms, count: number): string {
  return (forms[PLURALS[locale].select(count)] ?? forms.other).replace('#', NUMBERS[locale].format(count));
}
