interface TextRules {
  min: number;
  max: number;
  trim: boolean;
  multiline: boolean;
}

const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;
const LINE_BREAK_OR_TAB = /[\n\t]/;
// With the `u` flag a pair is one character, so that only halves without their other half match.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Normalises a text and checks it: the value to go on with, or what is wrong with it. */
export function checkText(raw: string, rules: TextRules): { value: string } | { problem: string } {
  const unix = raw.replaceAll('\r\n', '\n');
  if (LONE_SURROGATE.test(unix)) return { problem: 'must be well-formed Unicode' };
  const normal = unix.normalize('NFC');
  const value = rules.trim ? normal.trim() : normal;
  if (CONTROL.test(value)) return { problem: 'must not contain control characters' };
  if (!rules.multiline && LINE_BREAK_OR_TAB.test(value)) return { problem: 'must be a single line' };
  const length = characters(value);
  if (length === 0 && rules.min > 0) return { problem: 'must not be empty' };
  if (length < rules.min) return { problem: `must be at least ${rules.min} characters long` };
  if (length > rules.max) return { problem: `must be at most ${rules.max} characters long` };
  return { value };
}

/** Characters as people count letters and emoji, roughly: code points, not UTF-16 units. */
function characters(value: string): number {
  return Array.from(value).length;
}

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** The instant an ISO 8601 date-time with a zone names; `undefined` for anything else. */
export function parseInstant(value: unknown): Date | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value;
  if (typeof value !== 'string') return undefined;
  const parts = DATE_TIME.exec(value);
  if (!parts) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  // The parser would roll 30 February over into March.
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth) return undefined;
  return new Date(value);
}
