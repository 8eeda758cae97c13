import Handlebars from 'handlebars';
import { type Locale } from '../../users/index.js';
import { type MailSubject } from './unsubscribe-links.js';

interface Words {
  categories: Record<MailSubject, string>;
  ask: { title: string; text: (category: string) => string };
  done: { title: string; text: (category: string) => string };
  button: string;
  settings: string;
}

const WORDS: Record<Locale, Words> = {
  en: {
    categories: {
      social: 'reactions and comments',
      network: 'connections and followers',
      careers: 'jobs and referrals',
      chat: 'messages',
      community: 'groups and events',
      system: 'announcements',
      digest: 'whatever happens on it',
    },
    ask: {
      title: 'Stop these e-mails?',
      text: (category) => `Atrium e-mails you about ${category}. If you stop that, the app still shows all of it.`,
    },
    done: {
      title: 'These e-mails have stopped',
      text: (category) => `You get no more e-mails about ${category}. The app still shows all of it.`,
    },
    button: 'Stop these e-mails',
    settings: 'All notification settings',
  },
  ar: {
    categories: {
      social: 'التفاعلات والتعليقات',
      network: 'شبكة معارفك ومتابعيك',
      careers: 'الوظائف والتزكيات',
      chat: 'الرسائل',
      community: 'المجموعات والفعاليات',
      system: 'الإعلانات',
      digest: 'كل ما يجري فيه',
    },
    ask: {
      title: 'إيقاف هذه الرسائل؟',
      text: (category) => `يرسل إليك أتريوم رسائل بريد عن ${category}. إن أوقفتها بقي كل ذلك ظاهرًا لك في التطبيق.`,
    },
    done: {
      title: 'توقفت هذه الرسائل',
      text: (category) => `لن تصلك بعد الآن رسائل بريد عن ${category}. ويبقى كل ذلك ظاهرًا لك في التطبيق.`,
    },
    button: 'أوقف هذه الرسائل',
    settings: 'كل إعدادات الإشعارات',
  },
};

/** The form posts to the page's own address, with the same content as a mail program does. */
const page = Handlebars.compile(
  `<!doctype html>
<html lang="{{locale}}" dir="{{dir}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>{{title}}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;font-family:system-ui,'Segoe UI',Tahoma,sans-serif">
  <main style="max-width:480px;margin:0 auto;padding:24px;background:#fff;border-radius:8px;color:#18181b">
    <h1 style="margin:0 0 12px;font-size:18px">{{title}}</h1>
    <p style="margin:0 0 20px;line-height:1.6">{{text}}</p>
    {{#if asks}}<form method="post">
      <input type="hidden" name="List-Unsubscribe" value="One-Click">
      <button style="padding:10px 18px;border:0;background:#1d4ed8;color:#fff;border-radius:6px;font-size:15px">{{button}}</button>
    </form>{{/if}}
    <p style="margin:20px 0 0;font-size:13px"><a href="{{settingsLink}}">{{settings}}</a></p>
  </main>
</body>
</html>
`,
  { strict: true },
);

/** The page that a link in a mail leads to: before anything is done (`ask`) or after it (`done`). */
export function unsubscribePage(
  step: 'ask' | 'done',
  { locale, category, publicUrl }: { locale: Locale; category: MailSubject; publicUrl: string },
): string {
  const { categories, button, settings, [step]: words } = WORDS[locale];
  return page({
    locale,
    dir: locale === 'ar' ? 'rtl' : 'ltr',
    title: words.title,
    text: words.text(categories[category]),
    asks: step === 'ask',
    button,
    settings,
    settingsLink: new URL('/settings/notifications', publicUrl).href,
  });
}
