import { type TokenPurpose } from './auth.models.js';
import { type OneTimeTokens } from './one-time-tokens.js';

/** What a mailed link may be for. A challenge is answered to whoever signs in and never mailed. */
const MAILED: ReadonlySet<string> = new Set<TokenPurpose>(['emailVerification', 'passwordReset']);

/** Adds the token to links that stand for one, and leaves all others as they are. */
export function linkCompleter(oneTimeTokens: OneTimeTokens) {
  return (deepLink: string, { kind, id }: { kind: string; id: string }): string =>
    MAILED.has(kind) ? `${deepLink}?token=${oneTimeTokens.reveal(kind as TokenPurpose, id)}` : deepLink;
}
