import { createPublicKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';

/** The claims of a VAPID token (RFC 8292) that was found good. */
export interface Vapid {
  aud: string;
  sub: string | undefined;
  exp: number;
  publicKey: string;
}

const LONGEST_LIFE_SECONDS = 24 * 60 * 60;
const SCHEME = /^vapid\s+(?=.*\bt=([\w.-]+))(?=.*\bk=([\w-]+))/i;

/** Checks an `Authorization` header as a push service does; throws with the reason. */
export function verifyVapid(authorization: string | undefined, origin: string): Vapid {
  const [, token, publicKey] = SCHEME.exec(authorization ?? '') ?? [];
  if (token === undefined || publicKey === undefined) throw new Error('no VAPID token and key');
  const claims = jwt.verify(token, keyOf(publicKey), { algorithms: ['ES256'] });
  if (typeof claims === 'string') throw new Error('the VAPID token holds no claims');
  const { aud, exp, sub } = claims;
  if (aud !== origin) throw new Error(`aud is ${String(aud)}, not ${origin}`);
  if (exp === undefined) throw new Error('exp is missing');
  if (exp - Date.now() / 1000 > LONGEST_LIFE_SECONDS) throw new Error('exp is more than 24 hours away');
  return { aud: origin, sub, exp, publicKey };
}

/** The key behind an uncompressed point of P-256 in base64url. */
function keyOf(point: string): KeyObject {
  const bytes = Buffer.from(point, 'base64url');
  if (bytes.length !== 65 || bytes[0] !== 4) throw new Error('k is not an uncompressed P-256 point');
  const coordinate = (from: number) => bytes.subarray(from, from + 32).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) } });
}
