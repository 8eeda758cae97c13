import { type Actor } from '../http/route.js';

/** Who a valid access token speaks for, and until when. */
export interface Authenticated {
  actor: Actor;
  expiresAt: Date;
}

/** Checks access tokens; the same answer serves HTTP requests and socket handshakes. */
export interface Authenticator {
  /** @throws Problem 401 where the token is malformed, forged, expired or its session has ended */
  verifyAccessToken(token: string): Promise<Authenticated>;
}
