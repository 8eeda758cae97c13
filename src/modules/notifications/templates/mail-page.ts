import Handlebars from 'handlebars';
import { type Locale } from '../../users/index.js';
import { type Notification } from '../notification.model.js';
import { headline, linesOf } from './headline.js';
import { LAYOUTS } from './layouts.js';

type Told = Pick<Notification, 'type' | 'title' | 'body' | 'locale'>;

/** Words and the direction that they begin in: that of their language, or `auto` where it is anybody's guess. */
interface Passage {
  heading: string;
  lines: readonly string[];
  direction: 'ltr' | 'rtl' | 'auto';
}

/** What differs from mail to mail. */
export interface MailPage extends Passage {
  subject: string;
  /** What lists of mails show beside the subject. */
  preview: string;
  /** To be typed in somewhere; empty in most mails. */
  code: string;
  items: readonly (Passage & { link: string })[];
  /** How many there are besides; empty where these are all. */
  more: string;
  /** The words of the button, and where it leads. */
  action: string;
  link: string;
  /** Why one gets it, and where that can be changed. */
  why: string;
  settings: string;
  settingsLink: string;
}

/** Whatever is filled in is escaped; a placeholder that nothing is given for throws. Made at the first mail, and kept. */
const PAGES = { en: pageOf('en'), ar: pageOf('ar') };

function pageOf(locale: Locale): Handlebars.TemplateDelegate<MailPage> {
  return Handlebars.compile<MailPage>(LAYOUTS[locale], { strict: true });
}

/** A mail as HTML. */
export function mailPage(locale: Locale, page: MailPage): string {
  return PAGES[locale](page);
}

/** The direction that texts of a language are written in. */
export function directionOf(locale: Locale): 'ltr' | 'rtl' {
  return locale === 'ar' ? 'rtl' : 'ltr';
}

/** The words of a notification. What an admin wrote may be in another language than its reader's. */
export function passageOf({ type, title, body, locale }: Told): Passage {
  return {
    heading: headline(title),
    lines: linesOf(body),
    direction: type === 'SYSTEM' ? 'auto' : directionOf(locale),
  };
}
