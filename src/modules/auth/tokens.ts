import { createHmac, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { type Clock, MINUTE, SECOND } from '../../core/clock.js';
import { unauthorized } from '../../core/http/problem.js';
import { type KeyRing } from '../../core/security/key-ring.js';

export const ACCESS_TOKEN_MS = 15 * MINUTE;

export interface AccessClaims {
  userId: string;
  sessionId: string;
  expiresAt: Date;
}

export interface RefreshClaims {
  sessionId: string;
  generation: number;
}

const INVALID = 'The access token is not valid.';

/**
 * Makes and checks both kinds of token.
 *
 * A refresh token is `kid.session.generation.mac`: the server computes it, so it need not be stored, and two refreshes
 * of the same token at once can be given the same successor.
 */
export class Tokens {
  private readonly refreshKeys: { kid: string; secret: Buffer }[];

  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {
    this.refreshKeys = keys.derive('refresh-token');
  }

  /** A signed JWT, good for 15 minutes. */
  access(userId: string, sessionId: string): string {
    const { kid, secret } = this.keys.current;
    const iat = Math.floor(this.clock.now().getTime() / SECOND);
    return jwt.sign({ sub: userId, sid: sessionId, iat, exp: iat + ACCESS_TOKEN_MS / SECOND }, secret, {
      algorithm: 'HS256',
      keyid: kid,
    });
  }

  /** @throws Problem 401 `TOKEN_MISSING`, `TOKEN_INVALID` or `TOKEN_EXPIRED` */
  verifyAccess(token: string): AccessClaims {
    if (token === '') throw unauthorized('TOKEN_MISSING', 'This needs an access token.');
    const header = jwt.decode(token, { complete: true })?.header;
    const secret = header?.kid === undefined ? undefined : this.keys.find(header.kid);
    if (!secret) throw unauthorized('TOKEN_INVALID', INVALID);
    try {
      const claims = jwt.verify(token, secret, {
        algorithms: ['HS256'],
        clockTimestamp: Math.floor(this.clock.now().getTime() / SECOND),
      });
      if (typeof claims === 'string') throw unauthorized('TOKEN_INVALID', INVALID);
      const { sub: userId, exp } = claims;
      const sessionId: unknown = claims['sid'];
      if (!isId(userId) || !isId(sessionId) || typeof exp !== 'number') throw unauthorized('TOKEN_INVALID', INVALID);
      return { userId, sessionId, expiresAt: new Date(exp * SECOND) };
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw unauthorized('TOKEN_EXPIRED', 'The access token has expired.');
      throw unauthorized('TOKEN_INVALID', INVALID);
    }
  }

  refresh({ sessionId, generation }: RefreshClaims): string {
    const [key] = this.refreshKeys;
    if (!key) throw new Error('the key ring is empty');
    return `${key.kid}.${sessionId}.${generation}.${mac(key.secret, sessionId, generation).toString('base64url')}`;
  }

  /** What a refresh token claims, if this server made it; whether it is still current, the session knows. */
  verifyRefresh(token: string): RefreshClaims | undefined {
    const match = /^([\w-]{1,32})\.([0-9a-f]{24})\.(\d{1,9})\.([\w-]{43})$/.exec(token);
    const [, kid, sessionId, generationText, macText] = match ?? [];
    const secret = this.refreshKeys.find((key) => key.kid === kid)?.secret;
    if (!secret || sessionId === undefined || generationText === undefined || macText === undefined) return undefined;
    const generation = Number(generationText);
    const given = Buffer.from(macText, 'base64url');
    const expected = mac(secret, sessionId, generation);
    return given.length === expected.length && timingSafeEqual(given, expected) ? { sessionId, generation } : undefined;
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value);

function mac(secret: Buffer, sessionId: string, generation: number): Buffer {
  return createHmac('sha256', secret).update(`${sessionId}.${generation}`).digest();
}
