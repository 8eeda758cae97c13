import { type Contact } from '../../users/index.js';
import { type Email, type EmailContext } from '../delivery/email-content.js';
import { type Notification } from '../notification.model.js';
import { clip, headline } from '../templates/headline.js';
import { directionOf, mailPage, passageOf } from '../templates/mail-page.js';
import { plural } from '../templates/plural.js';
import { unsubscribeHeaders } from '../unsubscribe/unsubscribe-links.js';
import { type Digest } from './digest.model.js';

/** What a digest is about. */
export interface Gathered {
  /** The newest, newest first. */
  shown: readonly Pick<Notification, 'type' | 'title' | 'body' | 'locale' | 'deepLink'>[];
  /** How many there are besides. */
  more: number;
}

const WORDS = {
  en: {
    subject: { one: 'One notification you have not read', other: '# notifications you have not read' },
    more: { one: 'And one more', other: 'And # more' },
    open: 'See them in Atrium',
    why: 'You get this digest because of your notification settings.',
    settings: 'Change them',
  },
  ar: {
    subject: {
      zero: 'لا إشعارات لم تقرأها',
      one: 'إشعار واحد لم تقرأه',
      two: 'إشعاران لم تقرأهما',
      few: '# إشعارات لم تقرأها',
      many: '# إشعارًا لم تقرأها',
      other: '# إشعار لم تقرأها',
    },
    more: {
      zero: 'ولا شيء غير ذلك',
      one: 'وإشعار آخر',
      two: 'وإشعاران آخران',
      few: 'و# إشعارات أخرى',
      many: 'و# إشعارًا آخر',
      other: 'و# إشعار آخر',
    },
    open: 'اطّلع عليها في أتريوم',
    why: 'يصلك هذا الملخص وفق إعدادات الإشعارات لديك.',
    settings: 'تغيير الإعدادات',
  },
};

/** So much of each text is in it that twenty long ones do not make a mail that Gmail cuts off (at 102 KB). */
const MOST_OF_BODY = 200;

/** The mail of a digest, in its recipient's language and direction; the same Message-ID for every attempt. */
export function renderDigest(
  { _id, userId: owner }: Pick<Digest, '_id' | 'userId'>,
  contact: Contact,
  { shown, more }: Gathered,
  { publicUrl, host, links }: Pick<EmailContext, 'publicUrl' | 'host' | 'links'>,
): Email {
  const { locale } = contact;
  const words = WORDS[locale];
  const [id, userId] = [_id.toHexString(), owner.toHexString()];
  const subject = plural(locale, shown.length + more, words.subject);
  const items = shown.map(({ deepLink, ...told }) => {
    const passage = passageOf({ ...told, body: clip(told.body, MOST_OF_BODY) });
    return { ...passage, lines: passage.lines.filter(Boolean), link: new URL(deepLink, publicUrl).href };
  });
  const rest = more > 0 ? plural(locale, more, words.more) : '';
  const link = new URL('/notifications', publicUrl).href;
  const settingsLink = new URL('/settings/notifications', publicUrl).href;
  const lines = shown.map(({ title, body }, index) => [title, body, items[index]?.link].filter(Boolean).join('\n'));
  return {
    notificationId: id,
    userId,
    categories: ['digest'],
    to: { name: contact.name, address: contact.email },
    messageId: `<${id}@${host}>`,
    headers: unsubscribeHeaders(links.linkFor({ userId, category: 'digest' })),
    subject,
    text: `${[subject, ...lines, ...(rest ? [rest] : []), `${words.open}: ${link}`].join('\n\n')}\n\n${words.why} ${words.settings}: ${settingsLink}\n`,
    html: mailPage(locale, {
      ...{ heading: subject, lines: [], direction: directionOf(locale), code: '' },
      ...{ subject, preview: headline(shown[0]?.title ?? ''), items, more: rest },
      ...{ action: words.open, link, why: words.why, settings: words.settings, settingsLink },
    }),
  };
}
