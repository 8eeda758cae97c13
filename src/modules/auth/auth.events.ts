import { defineEvent } from '../../core/events/event.js';
import { email, flag, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { CODE_PURPOSES } from './auth.models.js';

/** Someone signed in; `isNewDevice` where the account was used before, but never from such a device. */
export const sessionStarted = defineEvent(
  'session.started',
  shape({ sessionId: objectId(), userId: objectId(), device: text(), place: text(), isNewDevice: flag() }),
  { traced: true },
);

export const SIGN_IN_FAILURES = ['wrongPassword', 'wrongCode', 'locked'] as const;

/**
 * Someone could not show that an account is theirs, when signing in or when asked once more. Without `userId` there is
 * no account with the address that was given, which is not kept. Where the account was `locked`, nothing that was given
 * could have opened it.
 */
export const signInFailed = defineEvent(
  'signIn.failed',
  shape({ reason: oneOf(SIGN_IN_FAILURES) }, { userId: objectId() }),
  { traced: true },
);

export const SESSION_ENDS = ['logout', 'revoked', 'reuse', 'passwordChanged', 'suspended', 'accountDeleted'] as const;
export type SessionEnd = (typeof SESSION_ENDS)[number];

/** A session ended: every node forgets it and closes its sockets. */
export const sessionEnded = defineEvent(
  'session.ended',
  shape({ sessionId: objectId(), userId: objectId(), reason: oneOf(SESSION_ENDS) }),
  { traced: true },
);

/** A link is to be mailed by which an address is confirmed. */
export const emailVerificationRequested = defineEvent(
  'email.verificationRequested',
  shape({ userId: objectId(), tokenId: objectId() }),
);

/** A link is to be mailed by which a new password is chosen. Also recorded, for nobody, where no account was found. */
export const passwordResetRequested = defineEvent(
  'password.resetRequested',
  shape({ userId: objectId(), tokenId: objectId() }),
);

/** `changeId` tells one change from the next. */
export const passwordChanged = defineEvent('password.changed', shape({ userId: objectId(), changeId: objectId() }), {
  traced: true,
});

const twoFactorFacts = shape({ userId: objectId(), changeId: objectId() });
export const twoFactorEnabled = defineEvent('twoFactor.enabled', twoFactorFacts, { traced: true });
export const twoFactorDisabled = defineEvent('twoFactor.disabled', twoFactorFacts, { traced: true });
/** Someone got past the second factor by a recovery code, which is now used up. */
export const recoveryCodeUsed = defineEvent('twoFactor.recoveryCodeUsed', twoFactorFacts, { traced: true });

/** An account has other recovery codes; the old ones work no more. */
export const recoveryCodesRenewed = defineEvent('twoFactor.recoveryCodesRenewed', twoFactorFacts, { traced: true });

/** A code is to be mailed. */
export const codeRequested = defineEvent(
  'code.requested',
  shape({ userId: objectId(), codeId: objectId(), purpose: oneOf(CODE_PURPOSES) }),
);

/** A link is to be mailed to the address that an account is to have from now on. */
export const emailChangeRequested = defineEvent(
  'email.changeRequested',
  shape({ userId: objectId(), tokenId: objectId(), newEmail: email() }),
);

/** An account has another address; the old one is told. */
export const emailChanged = defineEvent(
  'email.changed',
  shape({ userId: objectId(), changeId: objectId(), previousEmail: email() }),
  { traced: true },
);

export const authEvents = [
  sessionStarted,
  signInFailed,
  sessionEnded,
  emailVerificationRequested,
  passwordResetRequested,
  passwordChanged,
  twoFactorEnabled,
  twoFactorDisabled,
  recoveryCodeUsed,
  recoveryCodesRenewed,
  codeRequested,
  emailChangeRequested,
  emailChanged,
];
