import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';

/** Signing keys by id: the first signs, all of them verify, so that keys can be rotated without signing anyone out. */
export interface KeyRing {
  readonly current: { kid: string; secret: KeyObject };
  find(kid: string): KeyObject | undefined;
  /** Keys for another purpose, one derived from each, in the same order: knowing one does not help with the other. */
  derive(purpose: string): { kid: string; secret: Buffer }[];
}

const LEAST_BYTES = 32;

/**
 * Reads `kid:secret,kid:secret`.
 * @throws Error where a key is too short to be safe or an id is used twice
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = text.split(',').map((entry) => {
    const colon = entry.indexOf(':');
    const kid = entry.slice(0, colon).trim();
    const secret = Buffer.from(entry.slice(colon + 1).trim(), 'utf8');
    if (colon < 1 || !/^[\w-]{1,32}$/.test(kid))
      throw new Error('JWT_KEYS must be kid:secret pairs separated by commas');
    if (secret.length < LEAST_BYTES)
      throw new Error(`JWT_KEYS: the secret of "${kid}" is shorter than ${LEAST_BYTES} bytes`);
    // jsonwebtoken takes bytes for a public key first and fails at that for a millisecond, on every request.
    return { kid, secret: createSecretKey(secret) };
  });
  const [current] = keys;
  if (!current) throw new Error('JWT_KEYS is empty');
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) throw new Error('JWT_KEYS: a key id is used twice');
  return {
    current,
    find: (kid) => keys.find((key) => key.kid === kid)?.secret,
    derive: (purpose) =>
      keys.map(({ kid, secret }) => ({
        kid,
        secret: Buffer.from(hkdfSync('sha256', secret, 'atrium', purpose, LEAST_BYTES)),
      })),
  };
}

/** A fresh ring in the same form, for development. */
export function generateKeys(): string {
  return `k1:${randomBytes(LEAST_BYTES).toString('base64url')}`;
}
