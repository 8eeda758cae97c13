import { type Locale } from '../users/index.js';

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
  | 'exportReady';

export interface SecurityFacts {
  occasion: SecurityOccasion;
  /** Browser and system, as far as they can be told. */
  device?: string;
  /** The network address it came from. */
  place?: string;
}

type Template = (facts: { device: string; place: string }) => { title: string; body: string };

const isolate = (text: string): string => `\u2068${text}\u2069`;

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
      body: 'Someone signed in with one of your recovery codes. If this was not you, change your password.',
    }),
    ar: () => ({
      title: 'استُخدم أحد رموز الاسترداد',
      body: 'سجّل شخص الدخول بأحد رموز الاسترداد الخاصة بك. إن لم تكن أنت فغيّر كلمة مرورك.',
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

/**
 * The title and body of a `SECURITY` notification.
 * @throws Error where nothing is said of what happened
 */
export function securityText(locale: Locale, facts: SecurityFacts | undefined): { title: string; body: string } {
  if (!facts) throw new Error('a SECURITY notification says what happened');
  const { occasion, device, place } = facts;
  return TEXTS[occasion][locale]({ device: device ?? '?', place: place ?? '?' });
}
