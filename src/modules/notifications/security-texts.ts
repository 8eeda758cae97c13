import { type ProviderName } from '../oauth/index.js';
import { type Locale, type Role } from '../users/index.js';
import { isolate } from './templates/bidi.js';

/** What there is to tell about the security of an account. */
export type SecurityOccasion =
  | 'verifyEmail'
  | 'resetPassword'
  | 'newSignIn'
  | 'tokenReused'
  | 'passwordChanged'
  | 'twoFactorEnabled'
  | 'twoFactorDisabled'
  | 'recoveryCodeUsed'
  | 'recoveryCodesRenewed'
  | 'identityLinked'
  | 'identityUnlinked'
  | 'codeForEmailChange'
  | 'codeForPasswordChange'
  | 'codeForErasure'
  | 'codeForExport'
  | 'confirmNewEmail'
  | 'emailChanged'
  | 'codeForPhone'
  | 'phoneConfirmed'
  | 'phoneRemoved'
  | 'suspended'
  | 'suspensionLifted'
  | 'roleChanged'
  | 'exportReady';

export interface SecurityFacts {
  occasion: SecurityOccasion;
  /** Browser and system, as far as they can be told. */
  device?: string;
  /** The network address it came from. */
  place?: string;
  /** Whose account signs in to ours, or no longer. */
  provider?: ProviderName;
  /** The role that the account has now. */
  role?: Role;
  /** The end of a suspension, as an ISO 8601 date-time. */
  until?: string;
  /** What an admin gave as the reason. */
  reason?: string;
}

type Template = (facts: Required<Omit<SecurityFacts, 'occasion'>>) => { title: string; body: string };

const ENTER_CODE: Record<Locale, string> = {
  en: 'Enter this code. It works once, within 10 minutes. If you did not ask for it, change your password.',
  ar: 'أدخل هذا الرمز. يعمل مرة واحدة خلال 10 دقائق. إن لم تطلبه فغيّر كلمة مرورك.',
};

const ROLE_NAMES: Record<Locale, Record<Role, string>> = {
  en: {
    student: 'a student',
    alumni: 'an alumni member',
    recruiter: 'a recruiter',
    moderator: 'a moderator',
    admin: 'an admin',
  },
  ar: { student: 'طالب', alumni: 'خريج', recruiter: 'مسؤول توظيف', moderator: 'مشرف', admin: 'مدير' },
};

const PROVIDER_NAMES: Record<ProviderName, string> = {
  google: 'Google',
  github: 'GitHub',
  apple: 'Apple',
  facebook: 'Facebook',
};

/** A moment in words. The calendar and digits are those of the mails' other dates, whatever the language. */
function timeOf(locale: Locale, until: string): string {
  const language = { en: 'en-GB', ar: 'ar-u-ca-gregory-nu-latn' }[locale];
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(
    new Date(until),
  );
}

const TEXTS: Record<SecurityOccasion, Record<Locale, Template>> = {
  verifyEmail: {
    en: () => ({
      title: 'Confirm your e-mail address',
      body: 'Open the link to confirm that this address is yours. It works once, within 24 hours.',
    }),
    ar: () => ({
      title: 'أكّد عنوان بريدك الإلكتروني',
      body: 'افتح الرابط لتأكيد أن هذا العنوان لك. يعمل مرة واحدة خلال 24 ساعة.',
    }),
  },
  resetPassword: {
    en: () => ({
      title: 'Choose a new password',
      body: 'Open the link to choose a new password. It works once, within an hour. If you did not ask for it, do nothing.',
    }),
    ar: () => ({
      title: 'اختر كلمة مرور جديدة',
      body: 'افتح الرابط لاختيار كلمة مرور جديدة. يعمل مرة واحدة خلال ساعة. إن لم تطلب ذلك فلا تفعل شيئًا.',
    }),
  },
  newSignIn: {
    en: ({ device, place }) => ({
      title: 'New sign-in to your account',
      body: `From ${isolate(device)}, ${isolate(place)}. If this was not you, change your password.`,
    }),
    ar: ({ device, place }) => ({
      title: 'تسجيل دخول جديد إلى حسابك',
      body: `من ${isolate(device)}، ${isolate(place)}. إن لم تكن أنت فغيّر كلمة مرورك.`,
    }),
  },
  tokenReused: {
    en: () => ({
      title: 'One of your sessions was ended for your safety',
      body: 'A sign-in that had already been used up was used again: someone may have copied it. Change your password if you do not know why.',
    }),
    ar: () => ({
      title: 'أُنهيت إحدى جلساتك حفاظًا على سلامتك',
      body: 'استُخدمت جلسة سبق استعمالها مرة أخرى، وربما نسخها شخص آخر. غيّر كلمة مرورك إن لم تعرف السبب.',
    }),
  },
  passwordChanged: {
    en: () => ({
      title: 'Your password was changed',
      body: 'All other sessions have ended. If this was not you, reset your password at once.',
    }),
    ar: () => ({
      title: 'تغيّرت كلمة مرورك',
      body: 'أُنهيت جميع الجلسات الأخرى. إن لم تكن أنت فأعد تعيين كلمة مرورك فورًا.',
    }),
  },
  twoFactorEnabled: {
    en: () => ({ title: 'Two-factor sign-in is on', body: 'From now on signing in also needs a code.' }),
    ar: () => ({ title: 'تم تفعيل التحقق بخطوتين', body: 'من الآن يتطلب تسجيل الدخول رمزًا أيضًا.' }),
  },
  twoFactorDisabled: {
    en: () => ({
      title: 'Two-factor sign-in is off',
      body: 'Signing in needs the password only. If this was not you, change your password.',
    }),
    ar: () => ({
      title: 'تم إيقاف التحقق بخطوتين',
      body: 'يكفي الآن تسجيل الدخول بكلمة المرور. إن لم تكن أنت فغيّر كلمة مرورك.',
    }),
  },
  recoveryCodeUsed: {
    en: () => ({
      title: 'A recovery code was used',
      body: 'It stood in for a code of your app and works no more. If this was not you, change your password.',
    }),
    ar: () => ({
      title: 'استُخدم أحد رموز الاسترداد',
      body: 'استُخدم بدلًا من رمز التطبيق ولن يعمل مجددًا. إن لم تكن أنت فغيّر كلمة مرورك.',
    }),
  },
  recoveryCodesRenewed: {
    en: () => ({
      title: 'You have new recovery codes',
      body: 'Those from before work no more. If this was not you, change your password.',
    }),
    ar: () => ({
      title: 'لديك رموز استرداد جديدة',
      body: 'لم تعد الرموز السابقة تعمل. إن لم تكن أنت فغيّر كلمة مرورك.',
    }),
  },
  identityLinked: {
    en: ({ provider }) => ({
      title: `You can now sign in with ${PROVIDER_NAMES[provider]}`,
      body: 'An account there with your e-mail address was linked to yours. If this was not you, remove it in your settings and change your password.',
    }),
    ar: ({ provider }) => ({
      title: `يمكنك الآن تسجيل الدخول عبر ${isolate(PROVIDER_NAMES[provider])}`,
      body: 'رُبط بحسابك حساب هناك يحمل عنوان بريدك الإلكتروني. إن لم تكن أنت فأزله من إعداداتك وغيّر كلمة مرورك.',
    }),
  },
  identityUnlinked: {
    en: ({ provider }) => ({
      title: `Sign-in with ${PROVIDER_NAMES[provider]} was removed`,
      body: 'That account no longer signs in to yours. If this was not you, change your password.',
    }),
    ar: ({ provider }) => ({
      title: `أُزيل تسجيل الدخول عبر ${isolate(PROVIDER_NAMES[provider])}`,
      body: 'لم يعد ذلك الحساب يسجّل الدخول إلى حسابك. إن لم تكن أنت فغيّر كلمة مرورك.',
    }),
  },
  codeForEmailChange: {
    en: () => ({ title: 'Your code to change your e-mail address', body: ENTER_CODE.en }),
    ar: () => ({ title: 'رمز تغيير بريدك الإلكتروني', body: ENTER_CODE.ar }),
  },
  codeForPasswordChange: {
    en: () => ({ title: 'Your code to change your password', body: ENTER_CODE.en }),
    ar: () => ({ title: 'رمز تغيير كلمة مرورك', body: ENTER_CODE.ar }),
  },
  codeForErasure: {
    en: () => ({ title: 'Your code to delete your account', body: ENTER_CODE.en }),
    ar: () => ({ title: 'رمز حذف حسابك', body: ENTER_CODE.ar }),
  },
  codeForExport: {
    en: () => ({ title: 'Your code to export your data', body: ENTER_CODE.en }),
    ar: () => ({ title: 'رمز تصدير بياناتك', body: ENTER_CODE.ar }),
  },
  confirmNewEmail: {
    en: () => ({
      title: 'Confirm your new e-mail address',
      body: 'Open the link to use this address for your account from now on. It works once, within an hour. If you did not ask for it, do nothing.',
    }),
    ar: () => ({
      title: 'أكّد بريدك الإلكتروني الجديد',
      body: 'افتح الرابط لاستخدام هذا العنوان لحسابك من الآن. يعمل مرة واحدة خلال ساعة. إن لم تطلب ذلك فلا تفعل شيئًا.',
    }),
  },
  emailChanged: {
    en: () => ({
      title: 'Your e-mail address was changed',
      body: 'Your account has another e-mail address now. If this was not you, tell us at once.',
    }),
    ar: () => ({
      title: 'تغيّر بريدك الإلكتروني',
      body: 'أصبح لحسابك عنوان بريد إلكتروني آخر. إن لم تكن أنت فأخبرنا فورًا.',
    }),
  },
  codeForPhone: {
    en: () => ({ title: 'Your code to confirm your phone number', body: ENTER_CODE.en }),
    ar: () => ({ title: 'رمز تأكيد رقم هاتفك', body: ENTER_CODE.ar }),
  },
  phoneConfirmed: {
    en: () => ({
      title: 'A phone number was added to your account',
      body: 'SMS that you have switched on go there now. If this was not you, remove it and change your password.',
    }),
    ar: () => ({
      title: 'أُضيف رقم هاتف إلى حسابك',
      body: 'تُرسل إليه الآن الرسائل القصيرة التي فعّلتها. إن لم تكن أنت فأزله وغيّر كلمة مرورك.',
    }),
  },
  phoneRemoved: {
    en: () => ({
      title: 'Your account has no phone number any more',
      body: 'It was removed, or someone else has shown that the phone is theirs. No SMS come to it any more.',
    }),
    ar: () => ({
      title: 'لم يعد لحسابك رقم هاتف',
      body: 'أُزيل الرقم، أو أثبت شخص آخر أن الهاتف له. لن تصل إليه رسائل قصيرة بعد الآن.',
    }),
  },
  suspended: {
    en: ({ until, reason }) => ({
      title: 'Your account is suspended',
      body: `You can sign in again after ${isolate(timeOf('en', until))} (UTC).${reason && ` Reason: ${isolate(reason)}`}`,
    }),
    ar: ({ until, reason }) => ({
      title: 'تم تعليق حسابك',
      body: `يمكنك تسجيل الدخول مجددًا بعد ${isolate(timeOf('ar', until))} (التوقيت العالمي).${reason && ` السبب: ${isolate(reason)}`}`,
    }),
  },
  suspensionLifted: {
    en: () => ({ title: 'Your account is no longer suspended', body: 'You can sign in again.' }),
    ar: () => ({ title: 'رُفع التعليق عن حسابك', body: 'يمكنك تسجيل الدخول مجددًا.' }),
  },
  roleChanged: {
    en: ({ role, reason }) => ({
      title: 'Your role was changed',
      body: `You are ${ROLE_NAMES.en[role]} now.${reason && ` Reason: ${isolate(reason)}`}`,
    }),
    ar: ({ role, reason }) => ({
      title: 'تغيّر دورك',
      body: `دورك الآن: ${ROLE_NAMES.ar[role]}.${reason && ` السبب: ${isolate(reason)}`}`,
    }),
  },
  exportReady: {
    en: () => ({
      title: 'Your data is ready for download',
      body: 'It can be downloaded for seven days by whoever is signed in to your account. If you did not ask for it, change your password.',
    }),
    ar: () => ({
      title: 'بياناتك جاهزة للتنزيل',
      body: 'يمكن تنزيلها خلال سبعة أيام لمن سجّل الدخول إلى حسابك. إن لم تطلبها فغيّر كلمة مرورك.',
    }),
  },
};

export const SECURITY_OCCASIONS = Object.keys(TEXTS) as SecurityOccasion[];

/**
 * The title and body of a `SECURITY` notification.
 * @throws Error where nothing is said of what happened
 */
export function securityText(locale: Locale, facts: SecurityFacts | undefined): { title: string; body: string } {
  if (!facts) throw new Error('a SECURITY notification says what happened');
  const { occasion, device = '?', place = '?', provider = 'google', role = 'student', until = '', reason = '' } = facts;
  return TEXTS[occasion][locale]({ device, place, provider, role, until, reason });
}
