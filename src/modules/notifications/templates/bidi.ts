/** Characters that turn the direction of what follows, until something ends them. */
const TURNING = /[\u202A-\u202E\u2066-\u2069]/g;
/** Embeddings and overrides, with what ends them: isolates do better what embeddings are for, overrides forge. */
const EMBEDDINGS = /[\u202A-\u202E]/g;

const FIRST_STRONG_ISOLATE = '\u2068';
const POP = '\u2069';
const OPENING = new Set(['\u2066', '\u2067', FIRST_STRONG_ISOLATE]);

/**
 * Foreign text inside a sentence is isolated (FSI … PDI), so that an Arabic name in an English sentence, or the
 * other way round, does not turn the words around it; nor does a name that is made to.
 */
export function isolate(text: string): string {
  return `${FIRST_STRONG_ISOLATE}${text.replaceAll(TURNING, '')}${POP}`;
}

/** A text on its own, as it reads but for what would turn whatever stands after it: each isolate ends within it. */
export function contained(text: string): string {
  let open = 0;
  let contents = '';
  for (const character of text.replaceAll(EMBEDDINGS, '')) {
    if (OPENING.has(character)) open += 1;
    else if (character === POP) {
      if (open === 0) continue;
      open -= 1;
    }
    contents += character;
  }
  return contents + POP.repeat(open);
}
