import { type TokenPurpose } from './auth.models.js';
import { type MailedCodes } from './mailed-codes.js';
import { type OneTimeTokens } from './one-time-tokens.js';

/** What a mailed link may be for. A challenge is answered to whoever signs in and never mailed. */
const MAILED: ReadonlySet<string> = new Set<TokenPurpose>(['emailVerification', 'passwordReset', 'emailChange']);

/** What stands for a code, by mail or by SMS. */
const CODES: ReadonlySet<string> = new Set(['mailedCode', 'phoneCode']);

/** Which thing a mail is about. */
interface About {
  kind: string;
  id: string;
}

/** The secret parts of mails, worked out when a mail is written and stored nowhere. */
export function mailSecrets(oneTimeTokens: OneTimeTokens, codes: MailedCodes) {
  return {
    /** Adds the token to a link that stands for one, and leaves all others as they are. */
    completeLink: (deepLink: string, { kind, id }: About): string =>
      MAILED.has(kind) ? `${deepLink}?token=${oneTimeTokens.reveal(kind as TokenPurpose, id)}` : deepLink,
    /** The code that the mail or SMS is to show, if it is one of those. */
    revealCode: ({ kind, id }: About): string | undefined => (CODES.has(kind) ? codes.reveal(id) : undefined),
  };
}
