import { type Locale } from '../users/index.js';
import { type SecurityFacts, type SecurityOccasion } from './security-texts.js';

type Words = Record<Locale, string>;

const SESSIONS: Words = { en: 'See your sessions', ar: 'عرض جلساتك' };
const ACCOUNT: Words = { en: 'Open your account settings', ar: 'افتح إعدادات حسابك' };

/** What the button of a mail says where it leads somewhere in particular. */
const ACTIONS: Partial<Record<SecurityOccasion, Words>> = {
  verifyEmail: { en: 'Confirm the address', ar: 'تأكيد العنوان' },
  resetPassword: { en: 'Choose a new password', ar: 'اختيار كلمة مرور جديدة' },
  confirmNewEmail: { en: 'Confirm the address', ar: 'تأكيد العنوان' },
  newSignIn: SESSIONS,
  tokenReused: SESSIONS,
  passwordChanged: SESSIONS,
  codeForEmailChange: ACCOUNT,
  codeForPasswordChange: ACCOUNT,
  codeForErasure: ACCOUNT,
  codeForExport: ACCOUNT,
  exportReady: { en: 'Download your data', ar: 'تنزيل بياناتك' },
};

/** The words for what can be done about it, if there are any of its own. */
export function securityAction(locale: Locale, facts: Pick<SecurityFacts, 'occasion'> | undefined): string | undefined {
  return facts && ACTIONS[facts.occasion]?.[locale];
}
