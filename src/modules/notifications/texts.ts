import { attachmentWords, type MediaType } from '../media/index.js';
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
  /** What a message without words has attached. */
  attached?: MediaType;
  /** Of a post by its name, of a message as it is. */
  reaction?: string;
  /** A post unless told. */
  reactedTo?: 'post' | 'message';
  security?: SecurityFacts;
  placement?: { company: string; position: string };
  /** Where a message was written: in a group, whose title is empty where it has none. */
  chat?: { group?: string };
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

const YOURS: Record<Locale, Record<'post' | 'message', string>> = {
  en: { post: 'your post', message: 'your message' },
  ar: { post: 'منشورك', message: 'رسالتك' },
};

/** Kinds whose text follows from an event. `SYSTEM` is written by an admin instead. */
export type Templated = Exclude<NotificationType, 'SYSTEM'>;

const OPEN: Record<Locale, string> = { en: 'Open in Atrium', ar: 'افتح في أتريوم' };
const OPEN_CONVERSATION: Record<Locale, string> = { en: 'Open the conversation', ar: 'فتح المحادثة' };
const SEE_CALLS: Record<Locale, string> = { en: 'See your calls', ar: 'عرض مكالماتك' };
const SEE_PROFILE: Record<Locale, string> = { en: 'See the profile', ar: 'عرض الملف الشخصي' };

const oneMessage: Record<Locale, (facts: Pick<TextFacts, 'actor' | 'chat'>) => string> = {
  en: ({ actor, chat }) =>
    chat?.group === undefined ? `${isolate(actor)} sent you a message` : `New message in ${groupName.en(chat.group)}`,
  ar: ({ actor, chat }) =>
    chat?.group === undefined ? `أرسل ${isolate(actor)} إليك رسالة` : `رسالة جديدة في ${groupName.ar(chat.group)}`,
};

const groupName: Record<Locale, (title: string) => string> = {
  en: (title) => (title === '' ? 'a group conversation' : isolate(title)),
  ar: (title) => (title === '' ? 'محادثة جماعية' : isolate(title)),
};

const QUOTES: Record<Locale, readonly [open: string, close: string]> = { en: ['“', '”'], ar: ['«', '»'] };

/** What it says, or what it has attached where it says nothing. */
function quoted(locale: Locale, { excerpt, attached }: Pick<TextFacts, 'excerpt' | 'attached'>): string {
  const [open, close] = QUOTES[locale];
  return attached ? attachmentWords(locale, attached) : `${open}${isolate(excerpt)}${close}`;
}

/** What was said or sent last, and in a group by whom; nothing where that was deleted. */
function messageBody(locale: Locale, { actor, excerpt, attached, chat }: TextFacts): string {
  if (excerpt === '' && !attached) return '';
  const words = quoted(locale, { excerpt, ...(attached && { attached }) });
  return chat?.group === undefined ? words : `${isolate(actor)}: ${words}`;
}

const TEXTS: Record<Templated, Templates> = {
  REACTION: {
    action: { en: 'See the post', ar: 'عرض المنشور' },
    en: ({ actor, reaction = 'LIKE', reactedTo = 'post', ...said }) => ({
      title: `${isolate(actor)} reacted to ${YOURS.en[reactedTo]}`,
      body: `${EMOJI[reaction] ?? reaction} ${quoted('en', said)}`,
    }),
    ar: ({ actor, reaction = 'LIKE', reactedTo = 'post', ...said }) => ({
      title: `تفاعل ${isolate(actor)} مع ${YOURS.ar[reactedTo]}`,
      body: `${EMOJI[reaction] ?? reaction} ${quoted('ar', said)}`,
    }),
  },
  MENTION: {
    action: OPEN_CONVERSATION,
    en: ({ actor, chat, ...said }) => ({
      title: `${isolate(actor)} mentioned you in ${chat?.group === undefined ? 'a message' : groupName.en(chat.group)}`,
      body: quoted('en', said),
    }),
    ar: ({ actor, chat, ...said }) => ({
      title: `أشار ${isolate(actor)} إليك في ${chat?.group === undefined ? 'رسالة' : groupName.ar(chat.group)}`,
      body: quoted('ar', said),
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
  MESSAGE: {
    action: OPEN_CONVERSATION,
    en: (facts) => ({ title: oneMessage.en(facts), body: messageBody('en', facts) }),
    ar: (facts) => ({ title: oneMessage.ar(facts), body: messageBody('ar', facts) }),
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
export function actionOf(
  type: NotificationType,
  locale: Locale,
  { security, reactedTo }: Pick<TextFacts, 'security' | 'reactedTo'>,
): string {
  if (reactedTo === 'message') return OPEN_CONVERSATION[locale];
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

const MESSAGES: Forms = {
  en: { one: '# message', other: '# messages' },
  ar: { one: 'رسالة', two: 'رسالتان', few: '# رسائل', many: '# رسالة', other: '# رسالة' },
};

/** What the words for several depend on. */
type GroupFacts = Pick<TextFacts, 'chat' | 'reactedTo'>;
type GroupTitle = (actor: string, others: number, facts: GroupFacts) => string;

/** Titles of several that are told as one; kinds that are not here are never grouped. */
const GROUPED: Partial<Record<Templated, Record<Locale, GroupTitle>>> = {
  REACTION: {
    en: (actor, others, { reactedTo = 'post' }) =>
      `${actor} and ${plural('en', others, OTHERS.en)} reacted to ${YOURS.en[reactedTo]}`,
    ar: (actor, others, { reactedTo = 'post' }) =>
      `تفاعل ${actor} ${plural('ar', others, OTHERS.ar)} مع ${YOURS.ar[reactedTo]}`,
  },
  MESSAGE: {
    en: (actor, others, { chat }) =>
      `${plural('en', others + 1, MESSAGES.en)} ${chat?.group === undefined ? `from ${actor}` : `in ${groupName.en(chat.group)}`}`,
    ar: (actor, others, { chat }) =>
      `${plural('ar', others + 1, MESSAGES.ar)} ${chat?.group === undefined ? `من ${actor}` : `في ${groupName.ar(chat.group)}`}`,
  },
};

/**
 * The title of one that stands for others, too: "A and 11 others", "12 messages from A".
 * @param others how many, at least one
 */
export function groupTitleOf(
  type: Templated,
  locale: Locale,
  actor: string,
  others: number,
  facts: GroupFacts = {},
): string {
  const title = GROUPED[type]?.[locale];
  if (!title) throw new Error(`there are no words for several of ${type}`);
  return title(isolate(actor), others, facts);
}
