import { createHash, randomInt } from 'node:crypto';

const HOW_MANY = 10;
const GROUPS = 4;
const GROUP_LENGTH = 4;
/** Base32 in Crockford's alphabet: no letter looks like a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Ten codes of 80 random bits each, in groups as people copy them, and what is stored of them. */
export function newRecoveryCodes(userId: string): { codes: string[]; hashes: string[] } {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  const codes = Array.from({ length: HOW_MANY }, () => Array.from({ length: GROUPS }, group).join('-'));
  return { codes, hashes: codes.map((code) => hashRecoveryCode(userId, code)) };
}

/**
 * What is stored of a code. Nobody guesses 80 bits, so a plain hash is enough, and it needs no key: these codes must
 * still work when a key has been lost.
 */
export function hashRecoveryCode(userId: string, code: string): string {
  const plain = code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return createHash('sha256').update(`${userId}:${plain}`).digest('base64url');
}
