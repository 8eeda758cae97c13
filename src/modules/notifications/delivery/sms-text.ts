/** The alphabet that a phone network sends with seven bits a character (3GPP TS 23.038); the second part takes two. */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/** What typography puts in the place of plain characters: one of them alone would more than double the price. */
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/[“”„«»]/gu, '"'],
  [/[‘’‚]/gu, "'"],
  [/[–—‑]/gu, '-'],
  [/…/gu, '...'],
  [/[\u00A0\u202F\u2009]/gu, ' '],
  // Around foreign text; a text that is all Latin needs none.
  [/[\u2066-\u2069\u200E\u200F]/gu, ''],
];

const ALONE = { gsm: 160, unicode: 70 } as const;
/** Of several parts each says which one it is. */
const TOGETHER = { gsm: 153, unicode: 67 } as const;
/** More than this nobody reads there, and each part is paid for. */
export const MOST_SEGMENTS = 3;

const segmenter = new Intl.Segmenter();

type Alphabet = keyof typeof ALONE;

function alphabetOf(text: string): Alphabet {
  return Array.from(text).every((character) => GSM.has(character) || GSM_EXTENDED.has(character)) ? 'gsm' : 'unicode';
}

/** What a text takes in its alphabet: septets, or units of UTF-16. */
function lengthIn(alphabet: Alphabet, text: string): number {
  if (alphabet === 'unicode') return text.length;
  return Array.from(text).reduce((sum, character) => sum + (GSM_EXTENDED.has(character) ? 2 : 1), 0);
}

/** How many messages a text is sent as. */
export function segmentsOf(text: string): number {
  const alphabet = alphabetOf(text);
  const length = lengthIn(alphabet, text);
  // What takes two places is never cut in two: room for one at the end of each part is reckoned with.
  return length <= ALONE[alphabet] ? 1 : Math.ceil(length / (TOGETHER[alphabet] - 1));
}

/**
 * The words and, on a line of its own, the end, in as many messages as one may cost: the words are cut to what is left
 * of that, in whole characters as readers see them. Where it helps, typographic characters become plain ones.
 */
export function fitSms(words: string, end: string): string {
  const plain = PLAIN.reduce((text, [pattern, by]) => text.replace(pattern, by), words);
  const isPlain = alphabetOf(`${plain}${end}`) === 'gsm';
  const [text, ellipsis] = isPlain ? [plain, '...'] : [words, '…'];
  const whole = `${text}\n${end}`;
  if (segmentsOf(whole) <= MOST_SEGMENTS) return whole;

  const alphabet = alphabetOf(whole);
  let room = MOST_SEGMENTS * (TOGETHER[alphabet] - 1) - lengthIn(alphabet, `${ellipsis}\n${end}`);
  let kept = '';
  for (const { segment } of segmenter.segment(text)) {
    room -= lengthIn(alphabet, segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept.trimEnd()}${ellipsis}\n${end}`;
}
