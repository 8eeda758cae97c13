const EXCERPT_CHARACTERS = 120;

/** The beginning of a text on one line, cut between words where that is possible. */
export function excerptOf(content: string): string {
  const line = content.replace(/\s+/gu, ' ').trim();
  const characters = Array.from(line);
  if (characters.length <= EXCERPT_CHARACTERS) return line;
  const cut = characters.slice(0, EXCERPT_CHARACTERS).join('');
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > EXCERPT_CHARACTERS / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
