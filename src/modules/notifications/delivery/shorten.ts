const ELLIPSIS = '…';
const segmenter = new Intl.Segmenter();

/**
 * The text without so much of its end, in whole characters as readers see them, that at least `bytes` bytes of UTF-8
 * are saved; an ellipsis stands for what is gone. The app shows all of it when opened.
 */
export function shortenBy(text: string, bytes: number): string {
  const characters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  let saved = -Buffer.byteLength(ELLIPSIS);
  while (saved < bytes && characters.length > 0) saved += Buffer.byteLength(characters.pop() ?? '');
  return `${characters.join('')}${ELLIPSIS}`;
}
