import { type ObjectId } from 'mongodb';
import { type Cause, causeOf } from '../../../core/observability/tracing.js';
import { type Contact } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { headline } from '../templates/headline.js';
import { mailPage, passageOf } from '../templates/mail-page.js';
import { actionOf, type TextFacts } from '../texts.js';
import { unsubscribeHeaders, type UnsubscribeLinks } from '../unsubscribe/unsubscribe-links.js';

export interface Email extends Cause {
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
    why: 'You get this because of your notification settings.',
    whySecurity: 'You get this because it concerns the security of your account.',
    settings: 'Change them',
    sessions: 'See your sessions',
  },
  ar: {
    why: 'تصلك هذه الرسالة وفق إعدادات الإشعارات لديك.',
    whySecurity: 'تصلك هذه الرسالة لأنها تخص أمان حسابك.',
    settings: 'تغيير الإعدادات',
    sessions: 'عرض جلساتك',
  },
};

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

/** What of a notification its mail is made from. */
export type Mailed = Pick<
  Notification,
  | '_id'
  | 'userId'
  | 'type'
  | 'category'
  | 'entity'
  | 'title'
  | 'body'
  | 'deepLink'
  | 'data'
  | 'locale'
  | 'mailTo'
  | 'line'
  | 'traceparent'
>;

/** The e-mail for a notification, in its recipient's language and direction. */
export function renderEmail(notification: Mailed, contact: Contact, context: EmailContext): Email {
  return mailRenderer(context)(notification, contact);
}

/**
 * Renders several mails, each as `renderEmail` does. What says the same to several recipients is put together once, and
 * is the same string in each of their mails.
 */
export function mailRenderer(context: EmailContext): (notification: Mailed, contact: Contact) => Email {
  const { host, links } = context;
  const contents = new Map<string, Content>();
  return (notification, contact) => {
    const { category, type } = notification;
    const userId = notification.userId.toHexString();
    return {
      notificationId: notification._id.toHexString(),
      userId,
      categories: [category, type],
      to: { name: contact.name, address: addressOf(notification, contact) },
      messageId: messageIdOf(notification._id, host),
      // In the header alone: a link for each reader in the text would make each text another one.
      headers: {
        ...(category !== 'security' && unsubscribeHeaders(links.linkFor({ userId, category }))),
        ...threadHeaders(notification, host),
      },
      ...causeOf(notification),
      ...contentOf(notification, context, contents),
    };
  };
}

type Content = Pick<Email, 'subject' | 'text' | 'html'>;

function contentOf(
  notification: Mailed,
  { publicUrl, mailSecrets }: EmailContext,
  known: Map<string, Content>,
): Content {
  const { title, body, locale, category, type, entity, deepLink } = notification;
  const about = { kind: entity.kind ?? '', id: entity.id ?? '' };
  const completed = mailSecrets.completeLink(deepLink, about);
  const code = mailSecrets.revealCode(about) ?? '';
  const action = actionOf(type, locale, notification.data as Pick<TextFacts, 'security' | 'reactedTo'>);
  const key = JSON.stringify([locale, category, type, title, body, completed, code, action]);
  const before = known.get(key);
  if (before) return before;
  const words = WORDS[locale];
  const link = new URL(completed, publicUrl).href;
  const isSecurity = category === 'security';
  const [why, settings] = isSecurity ? [words.whySecurity, words.sessions] : [words.why, words.settings];
  const settingsLink = new URL(isSecurity ? '/settings/sessions' : '/settings/notifications', publicUrl).href;
  const subject = headline(title);
  const content = {
    subject,
    text: `${[title, body, code, `${action}: ${link}`].filter(Boolean).join('\n\n')}\n\n${why} ${settings}: ${settingsLink}\n`,
    html: mailPage(locale, {
      ...passageOf(notification),
      ...{ subject, preview: headline(body), code, items: [], more: '' },
      ...{ action, link, why, settings, settingsLink },
    }),
  };
  known.set(key, content);
  return content;
}

function messageIdOf(id: ObjectId, host: string): string {
  return `<${id.toHexString()}@${host}>`;
}

/**
 * Mails of one line in the app are one thread in a mailbox. Each answers to the first of its line, and not to the one
 * before it, of which there may be no mail; where there is none of the first either, they still belong together.
 */
function threadHeaders({ _id, line }: Pick<Mailed, '_id' | 'line'>, host: string): Record<string, string> {
  if (!line || line.equals(_id)) return {};
  const first = messageIdOf(line, host);
  return { 'In-Reply-To': first, References: first };
}
