import { type Locale } from '../users/index.js';
import { type NotificationType } from './notification.types.js';
import { counted, type Forms } from './plurals.js';
import { type SecurityFacts, securityText } from './security-texts.js';

/** What a text is made from. */
export interface TextFacts {
  /** The name of whoever caused it. */
  actor: string;
  excerpt: string;
  reaction?: string;
  security?: SecurityFacts;
}

export interface NotificationText {
  title: string;
  body: string;
}

type Template = (facts: TextFacts) => NotificationText;

const EMOJI: Record<string, string> = {
  LIKE: '👍',
  CELEBRATE: '👏',
  SUPPORT: '🤝',
  LOVE: '❤️',
  INSIGHTFUL: '💡',
  FUNNY: '😄',
};

/**
 * Foreign text inside a sentence is isolated (FSI … PDI), so that an Arabic name in an English sentence, or the
 * other way round, does not turn the words around it.
 */
const isolate = (text: string): string => `\u2068${text}\u2069`;

/** Kinds whose text follows from an event. `SYSTEM` is written by an admin instead. */
export type Templated = Exclude<NotificationType, 'SYSTEM'>;

const TEXTS: Record<Templated, Record<Locale, Template>> = {
  REACTION: {
    en: ({ actor, excerpt, reaction = 'LIKE' }) => ({
      title: `${isolate(actor)} reacted to your post`,
      body: `${EMOJI[reaction] ?? ''} “${isolate(excerpt)}”`,
    }),
    ar: ({ actor, excerpt, reaction = 'LIKE' }) => ({
      title: `تفاعل ${isolate(actor)} مع منشورك`,
      body: `${EMOJI[reaction] ?? ''} «${isolate(excerpt)}»`,
    }),
  },
  COMMENT: {
    en: ({ actor, excerpt }) => ({
      title: `${isolate(actor)} commented on your post`,
      body: `“${isolate(excerpt)}”`,
    }),
    ar: ({ actor, excerpt }) => ({
      title: `علّق ${isolate(actor)} على منشورك`,
      body: `«${isolate(excerpt)}»`,
    }),
  },
  CONNECTION_REQUEST: {
    en: ({ actor }) => ({ title: `${isolate(actor)} would like to connect with you`, body: '' }),
    ar: ({ actor }) => ({ title: `يودّ ${isolate(actor)} التواصل معك`, body: '' }),
  },
  CONNECTION_ACCEPTED: {
    en: ({ actor }) => ({ title: `You and ${isolate(actor)} are now connected`, body: '' }),
    ar: ({ actor }) => ({ title: `أصبحت أنت و${isolate(actor)} على تواصل`, body: '' }),
  },
  FOLLOW: {
    en: ({ actor }) => ({ title: `${isolate(actor)} follows you`, body: '' }),
    ar: ({ actor }) => ({ title: `بدأ ${isolate(actor)} بمتابعتك`, body: '' }),
  },
  SECURITY: {
    en: ({ security }) => securityText('en', security),
    ar: ({ security }) => securityText('ar', security),
  },
};

/** The title and body of a notification in the recipient's language. */
export function textOf(type: Templated, locale: Locale, facts: TextFacts): NotificationText {
  return TEXTS[type][locale](facts);
}

const OTHERS: Record<Locale, Forms> = {
  en: { one: '# other', other: '# others' },
  ar: {
    one: 'وشخص آخر',
    two: 'وشخصان آخران',
    few: 'و# أشخاص آخرين',
    many: 'و# شخصًا آخر',
    other: 'و# شخص آخر',
  },
};

/** Titles of several that are told as one; kinds that are not here are never grouped. */
const GROUPED: Partial<Record<Templated, Record<Locale, (actor: string, others: string) => string>>> = {
  REACTION: {
    en: (actor, others) => `${actor} and ${others} reacted to your post`,
    ar: (actor, others) => `تفاعل ${actor} ${others} مع منشورك`,
  },
};

/**
 * The title of one that stands for others, too: "A and 11 others".
 * @param others how many, at least one
 */
export function groupTitleOf(type: Templated, locale: Locale, actor: string, others: number): string {
  const title = GROUPED[type]?.[locale];
  if (!title) throw new Error(`there are no words for several of ${type}`);
  return title(isolate(actor), counted(locale, OTHERS[locale], others));
}
