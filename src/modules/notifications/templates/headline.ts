import { contained } from './bidi.js';

const ELLIPSIS = '…';
const segmenter = new Intl.Segmenter();

/** Line breaks of every kind, tabs and other control characters. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/u;

/** More than any title needs that is made of a name and some words. */
const MOST_IN_HEADLINE = 160;

/** The text, or its beginning in so many characters as readers see them, with an ellipsis for what is gone. */
export function clip(text: string, most: number): string {
  // Nothing to count: a character has at least one unit.
  if (text.length <= most) return text;
  const characters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}${ELLIPSIS}`;
}

/**
 * A title as the subject of a mail or the title of a push: on one line, so that no header can be forged with it, of
 * bounded length, and with no isolate left open.
 */
export function headline(title: string): string {
  const parts = title.split(BREAKS).map((part) => part.trim());
  return contained(clip(parts.filter(Boolean).join(' '), MOST_IN_HEADLINE));
}

/** The lines of a text, each of which reads on its own; none where there is no text. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n').map(contained);
}
