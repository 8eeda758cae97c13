import { type Locale } from '../users/index.js';
import { type MediaType } from './media.model.js';

const WORDS: Readonly<Record<Locale, Readonly<Record<MediaType, string>>>> = {
  en: { IMAGE: '📎 Photo', DOCUMENT: '📎 Document' },
  ar: { IMAGE: '📎 صورة', DOCUMENT: '📎 مستند' },
};

/** What is said of something that has no words but this attached. */
export function attachmentWords(locale: Locale, type: MediaType): string {
  return WORDS[locale][type];
}
