import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Signs what leaves the server and comes back, so that it cannot be changed on the way. */
export interface Signer {
  sign(data: string): string;
  verify(data: string, signature: string): boolean;
}

const LEAST_BYTES = 32;

/**
 * HMAC-SHA256 in base64url. The first key signs, all of them verify, so that keys can be rotated.
 * @throws Error where there is no key, or one is too short to be safe
 */
export function createSigner(keys: readonly Buffer[]): Signer {
  if (keys.length === 0) throw new Error('A signer needs a key');
  if (keys.some((key) => key.length < LEAST_BYTES)) {
    throw new Error(`A signing key must have at least ${LEAST_BYTES} bytes`);
  }
  const ring = keys.map((key) => createSecretKey(key));
  const [current] = ring as [KeyObject];
  return {
    sign: (data) => digest(current, data).toString('base64url'),
    verify(data, signature) {
      const given = Buffer.from(signature, 'base64url');
      // Decoding skips what is no base64url; only the one spelling that was handed out counts.
      if (given.toString('base64url') !== signature) return false;
      return ring.some((key) => {
        const expected = digest(key, data);
        return expected.length === given.length && timingSafeEqual(expected, given);
      });
    },
  };
}

function digest(key: KeyObject, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
