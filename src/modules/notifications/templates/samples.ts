import { ObjectId } from 'mongodb';
import { type Contact, type Locale } from '../../users/index.js';
import { type Mailed } from '../delivery/email-content.js';
import { NOTIFICATION_TYPES, type NotificationType } from '../notification.types.js';
import { type SecurityFacts, type SecurityOccasion } from '../security-texts.js';
import { type NotificationText, type TextFacts, textOf } from '../texts.js';

/** As long as names get, with a bit of everything: two scripts, quotes, markup, a placeholder, an emoji. */
const ACTOR = 'عبد الرحمن “Abd” O’Neil-Müller <b>& Co</b> {{name}} 👩🏽‍🎓';
const EXCERPT =
  '<script>alert("1")</script> {{x}} & كلمة عربية بين كلمات؟ Donaudampfschifffahrtselektrizitätenhauptbetriebswerk';

/** An announcement that was written in English only, or in Arabic, with a title on two lines. */
const ANNOUNCED: Record<Locale, NotificationText> = {
  en: {
    title: 'The library is closed on Sunday\nمغلق يوم الأحد',
    body: 'Opening hours (new!): 8:00 – 20:00 & <b>late</b> on Mondays.\n\nأوقات الدوام: من ٨ إلى ٢٠، ما عدا الجمعة.\nhttps://campus.example/library/opening-hours/and/a/very/long/address/that/cannot/be/broken?between=words',
  },
  ar: {
    title: 'المكتبة مغلقة يوم الأحد\nClosed on Sunday',
    body: 'أوقات الدوام: من ٨ إلى ٢٠، ما عدا الجمعة (جديد!).\n\nOpening hours (new!): 8:00 – 20:00 & <b>late</b> on Mondays.\nhttps://campus.example/library/opening-hours/and/a/very/long/address/that/cannot/be/broken?between=words',
  },
};

const SECURITY: Omit<SecurityFacts, 'occasion'> = {
  device: 'Firefox on Windows',
  place: '203.0.113.7',
  provider: 'github',
  role: 'moderator',
  until: '2026-12-24T18:00:00.000Z',
  reason: 'Advertising <b>again</b>, رغم التنبيه',
};

const FACTS: TextFacts = {
  ...{ actor: ACTOR, excerpt: EXCERPT, reaction: 'CELEBRATE' },
  chat: { group: 'مشروع التخرّج — Team <i>7</i> & friends {{x}}' },
  placement: { company: 'شركة “Öl & Söhne” <b>GmbH</b>', position: 'مهندسة برمجيات / Software Engineer {{x}}' },
};

/** What a reaction may be to. */
export const REACTED_TO = ['post', 'message'] as const;
export type ReactedTo = (typeof REACTED_TO)[number];

/** Which of those that a type has words for. */
export interface SampleChoice {
  occasion: SecurityOccasion;
  reactedTo: ReactedTo;
}

/** Of samples: they are stored nowhere. */
export const SAMPLE_ID = new ObjectId('0'.repeat(24));

/** Someone whom samples are addressed to. */
export function sampleContact(locale: Locale): Contact {
  return { _id: SAMPLE_ID, name: 'Amal', email: 'amal@campus.example', locale };
}

/** A notification as it might be written for somebody, with what is hard to show well. */
export function sampleNotification(
  type: NotificationType,
  locale: Locale,
  { occasion, reactedTo }: SampleChoice,
): Mailed {
  const security = { ...SECURITY, occasion };
  const toMessage = type === 'REACTION' && reactedTo === 'message' && { reaction: '🎓', reactedTo };
  const facts = { ...FACTS, security, ...toMessage };
  const isMailedCode = type === 'SECURITY' && occasion.startsWith('codeFor');
  return {
    _id: SAMPLE_ID,
    userId: SAMPLE_ID,
    type,
    category: NOTIFICATION_TYPES[type].category,
    entity: { kind: isMailedCode ? 'mailedCode' : 'sample', id: 'sample' },
    ...(type === 'SYSTEM' ? ANNOUNCED[locale] : textOf(type, locale, facts)),
    deepLink: '/notifications',
    data: { ...(type === 'SECURITY' && { security }), ...toMessage },
    locale,
  };
}
