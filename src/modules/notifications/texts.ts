import { type Locale } from '../users/index.js';
import { type NotificationType } from './notification.types.js';
import { securityAction } from './security-actions.js';
import { type SecurityFacts, securityText } from './security-texts.js';
import { isolate } from './templates/bidi.js';
import { type Forms, plural } from './templates/plural.js';

/** What a text is made from. */
export interface TextFacts {
  /** The name of whoever caused it. */
  actor: string;
  excerpt: string;
  reaction?: string;
  security?: SecurityFacts;
  placement?: { company: string; position: string };
}

export interface NotificationText {
  title: string;
  body: string;
}

type Template = (facts: TextFacts) => NotificationText;

/** What is said of a kind of notification on every channel. */
interface Templates extends Record<Locale, Template> {
  /** What the button of a mail says, which leads to what it is about. */
  action: Record<Locale, string>;
}

const EMOJI: Record<string, string> = {
  LIKE: '👍',
  CELEBRATE: '👏',
  SUPPORT: '🤝',
  LOVE: '❤️',
  INSIGHTFUL: '💡',
  FUNNY: '😄',
};

/** Kinds whose text follows from an event. `SYSTEM` is written by an admin instead. */
export type Templated = Exclude<NotificationType, 'SYSTEM'>;

const OPEN: Record<Locale, string> = { en: 'Open in Atrium', ar: 'افتح في أتريوم' };
const SEE_CALLS: Record<Locale, string> = { en: 'See your calls', ar: 'عرض مكالماتك' };
const SEE_PROFILE: Record<Locale, string> = { en: 'See the profile', ar: 'عرض الملف الشخصي' };

const TEXTS: Record<Templated, Templates> = {
  REACTION: {
    action: { en: 'See the post', ar: 'عرض المنشور' },
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
    action: { en: 'See the comment', ar: 'عرض التعليق' },
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
    action: { en: 'Answer the request', ar: 'الرد على الطلب' },
    en: ({ actor }) => ({ title: `${isolate(actor)} would like to connect with you`, body: '' }),
    ar: ({ actor }) => ({ title: `يودّ ${isolate(actor)} التواصل معك`, body: '' }),
  },
  CONNECTION_ACCEPTED: {
    action: SEE_PROFILE,
    en: ({ actor }) => ({ title: `You and ${isolate(actor)} are now connected`, body: '' }),
    ar: ({ actor }) => ({ title: `أصبحت أنت و${isolate(actor)} على تواصل`, body: '' }),
  },
  FOLLOW: {
    action: SEE_PROFILE,
    en: ({ actor }) => ({ title: `${isolate(actor)} follows you`, body: '' }),
    ar: ({ actor }) => ({ title: `بدأ ${isolate(actor)} بمتابعتك`, body: '' }),
  },
  PLACEMENT: {
    action: SEE_PROFILE,
    en: ({ actor, placement }) => ({
      title: `${isolate(actor)} has a new position`,
      body: placement ? `${isolate(placement.position)} at ${isolate(placement.company)}` : '',
    }),
    ar: ({ actor, placement }) => ({
      title: `لدى ${isolate(actor)} وظيفة جديدة`,
      body: placement ? `${isolate(placement.position)} في ${isolate(placement.company)}` : '',
    }),
  },
  CALL_INCOMING: {
    action: SEE_CALLS,
    en: ({ actor }) => ({ title: `${isolate(actor)} is calling you`, body: '' }),
    ar: ({ actor }) => ({ title: `يتصل بك ${isolate(actor)}`, body: '' }),
  },
  CALL_MISSED: {
    action: SEE_CALLS,
    en: ({ actor }) => ({ title: `You missed a call from ${isolate(actor)}`, body: '' }),
    ar: ({ actor }) => ({ title: `فاتتك مكالمة من ${isolate(actor)}`, body: '' }),
  },
  SECURITY: {
    action: OPEN,
    en: ({ security }) => securityText('en', security),
    ar: ({ security }) => securityText('ar', security),
  },
};

/** The words of the button that leads to what a notification is about. */
export function actionOf(type: NotificationType, locale: Locale, { security }: Pick<TextFacts, 'security'>): string {
  return securityAction(locale, security) ?? (type === 'SYSTEM' ? OPEN : TEXTS[type].action)[locale];
}

/** The title and body of a notification in the recipient's language. */
export function textOf(type: Templated, locale: Locale, facts: TextFacts): NotificationText {
  return TEXTS[type][locale](facts);
}

const OTHERS: Forms = {
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
  return title(isolate(actor), plural(locale, others, OTHERS[locale]));
}
