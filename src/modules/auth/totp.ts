import { generateSecret, generateURI, verifySync } from 'otplib';
import { SECOND } from '../../core/clock.js';

const PERIOD_S = 30;
const ISSUER = 'Atrium';

/** A fresh secret in base32. */
export function newTotpSecret(): string {
  return generateSecret();
}

/** What an authenticator app reads as a QR code. */
export function totpUri(secret: string, account: string): string {
  return generateURI({ issuer: ISSUER, label: account, secret });
}

/**
 * The time step that a code of six digits belongs to (RFC 6238: SHA-1, 30 s), if that is the current one or the one
 * before or after it, as clocks differ.
 */
export function totpStep(secret: string, code: string, now: Date): number | undefined {
  const epoch = Math.floor(now.getTime() / SECOND);
  const result = verifySync({ secret, token: code, epoch, period: PERIOD_S, epochTolerance: PERIOD_S });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}
