import { type Signer } from '../../../core/security/signing.js';
import { CATEGORIES, type Category } from '../notification.types.js';

/** What can be unsubscribed from: mail about the security of an account cannot. */
export type MailCategory = Exclude<Category, 'security'>;
export const MAIL_CATEGORIES = CATEGORIES.filter((category): category is MailCategory => category !== 'security');

/** One category, or all of them, which a digest may be about. */
export type MailSubject = MailCategory | 'digest';
const MAIL_SUBJECTS: readonly MailSubject[] = [...MAIL_CATEGORIES, 'digest'];

/** Whose mail about what is to stop. */
export interface Unsubscription {
  userId: string;
  category: MailSubject;
}

/** Links by which whoever got a mail stops more of its kind, without signing in. */
export interface UnsubscribeLinks {
  linkFor(unsubscription: Unsubscription): string;
  /** What a token is good for; `undefined` where it was made up or changed. */
  read(token: string): Unsubscription | undefined;
}

const TOKEN = /^([0-9a-f]{24})\.([a-zA-Z]+)\.([\w-]+)$/;

/**
 * Links do not run out, since mails are kept for years: they hold until the key that signed them is taken out of the
 * ring. With one nothing can be done but what its reader may do anyway, and what the settings take back.
 */
export function unsubscribeLinks(signer: Signer, publicUrl: string): UnsubscribeLinks {
  const signed = ({ userId, category }: Unsubscription): string => JSON.stringify(['unsubscribe', userId, category]);
  const page = new URL('/api/v1/unsubscribe', publicUrl).href;
  return {
    linkFor(unsubscription) {
      const { userId, category } = unsubscription;
      return `${page}?token=${userId}.${category}.${signer.sign(signed(unsubscription))}`;
    },
    read(token) {
      const [, userId, name, signature] = TOKEN.exec(token) ?? [];
      if (userId === undefined || name === undefined || signature === undefined) return undefined;
      const category = MAIL_SUBJECTS.find((one) => one === name);
      if (category === undefined) return undefined;
      const unsubscription = { userId, category };
      return signer.verify(signed(unsubscription), signature) ? unsubscription : undefined;
    },
  };
}

/** The headers by which mail programs offer to unsubscribe with one click (RFC 2369, RFC 8058). */
export function unsubscribeHeaders(link: string): Record<string, string> {
  return { 'List-Unsubscribe': `<${link}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
}
