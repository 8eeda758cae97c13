const ARABIC_FORMS: Readonly<Record<string, string>> = {
  أ: 'ا',
  إ: 'ا',
  آ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ئ: 'ي',
  ؤ: 'و',
  ة: 'ه',
};

/**
 * A text as it is compared: without case, diacritics, forms of the same Arabic letter, tatweel and surplus spaces.
 */
export function fold(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[أإآٱىئؤة]/gu, (letter) => ARABIC_FORMS[letter] ?? letter)
    .normalize('NFKD')
    .replace(/[\p{Mark}\u0640]/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/\s+/gu, ' ')
    .trim();
}
