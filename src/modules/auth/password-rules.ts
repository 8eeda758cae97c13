import { badRequest } from '../../core/http/problem.js';

/** Words that the most common passwords are made of, from the lists that are published of leaked ones. */
const COMMON_WORDS = (
  'password passwort passwd passw0rd welcome letmein login signin admin administrator root user guest ' +
  'test testing default changeme change temp temporary secret access master hello iloveyou love lovely loveyou forever ' +
  'mylove baby babygirl babyboy angel princess prince queen king sunshine flower butterfly rainbow summer winter spring ' +
  'autumn monday friday january february march april june july august september october november december football ' +
  'baseball basketball soccer hockey liverpool chelsea arsenal barcelona manchester united realmadrid cowboys yankees ' +
  'dragon monkey tiger lion eagle wolf dolphin horse kitty kitten puppy doggy chicken superman batman spiderman starwars ' +
  'startrek pokemon naruto minecraft fortnite computer internet google facebook instagram youtube microsoft windows apple ' +
  'samsung iphone android money cash dollar freedom heaven jesus jesuschrist christ blessed god family mother father ' +
  'brother sister friend friends michael jennifer jessica ashley daniel thomas robert joshua matthew andrew nicole anthony ' +
  'charlie maggie ginger pepper cookie chocolate banana orange cheese coffee killer hunter ranger soldier warrior shadow ' +
  'ninja phoenix diamond silver golden purple yellow trustno trust nothing whatever blink asdf qwerty qwertz azerty zxcvbn ' +
  'campus university college student alumni school library atrium mohammed muhammad ahmed allah bismillah habibi marhaba ' +
  'correcthorsebatterystaple correcthorse batterystaple'
)
  .split(' ')
  // Longer ones first, so that what is left of a word is no part of it.
  .sort((a, b) => b.length - a.length);

/** What fingers walk along without thinking: alphabets, digits and the rows and columns of keyboards. */
const WALKS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'qazwsxedcrfvtgbyhnujmikolp',
  'zaq1xsw2cde3vfr4bgt5nhy6mju7',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'a1b2c3d4e5f6g7h8i9j0',
  '1a2b3c4d5e6f7g8h9i0j',
  'ابتثجحخدذرزسشصضطظعغفقكلمنهوي',
].flatMap((walk) => [walk, Array.from(walk).reverse().join('')]);

const LEET: Record<string, string> = { '@': 'a', '4': 'a', '3': 'e', '1': 'i', '!': 'i', '0': 'o', $: 's', '5': 's' };
const LEAST_UNPREDICTABLE = 5;
const LEAST_WALK = 3;
const LEAST_PERSONAL = 4;

/** Whose password it is to be. */
export interface Owner {
  name: string;
  email: string;
}

/**
 * Refuses what attackers try first: common words and phrases, walks along the keyboard, repetitions, one's own name or
 * address. Counted is what is left of a password when all that is taken away.
 * @throws Problem 400 `PASSWORD_TOO_COMMON`
 */
export function requireUncommon(password: string, owner: Owner, path = 'body.password'): void {
  if (!isCommon(password, owner)) return;
  const detail = 'This password is among those that are guessed first.';
  throw badRequest('PASSWORD_TOO_COMMON', detail, [{ path, message: 'must not be a common password' }]);
}

/** Whether a password would be guessed soon. */
export function isCommon(password: string, { name, email }: Owner): boolean {
  const plain = reduce(password.toLowerCase());
  const personal = [email.split('@')[0] ?? '', ...name.split(/\s+/)]
    .map((part) => reduce(part.toLowerCase()))
    .filter((part) => Array.from(part).length >= LEAST_PERSONAL);
  // Digits may stand for letters or be digits: it is common if it is so in either reading.
  return [plain, Array.from(plain, (letter) => LEET[letter] ?? letter).join('')].some(
    (reading) => personal.some((part) => reading.includes(part)) || unpredictable(reading) < LEAST_UNPREDICTABLE,
  );
}

/** Letters and digits, and whatever else is no space or punctuation; the signs that stand for letters stay. */
function reduce(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}\p{So}@$!]/gu, '');
}

/** How many characters are left of a text without what is easily guessed. */
function unpredictable(text: string): number {
  let rest = withoutRepeats(text);
  for (const word of COMMON_WORDS) rest = rest.replaceAll(word, ' ');
  const letters = Array.from(withoutWalks(rest).replaceAll(/(19|20)\d\d|[\s@$!]/g, ''));
  return new Set(letters).size;
}

/** "abcabcabc" becomes "abc". */
function withoutRepeats(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const part = text.slice(0, length);
    if (part.repeat(text.length / length) === text) return part;
  }
  return text;
}

function withoutWalks(text: string): string {
  const letters = Array.from(text);
  const rest: string[] = [];
  for (let at = 0; at < letters.length;) {
    let length = 1;
    while (at + length < letters.length && isWalk(letters.slice(at, at + length + 1).join(''))) length += 1;
    if (length < LEAST_WALK) rest.push(...letters.slice(at, at + length));
    at += length;
  }
  return rest.join('');
}

function isWalk(text: string): boolean {
  return WALKS.some((walk) => walk.includes(text));
}
