import {
  anyOf,
  email,
  exactly,
  flag,
  instant,
  list,
  matching,
  nullable,
  named,
  objectId,
  oneOf,
  perhaps,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { CODE_PURPOSES } from './auth.models.js';
import { LOCALES, ROLES, userAnswer } from '../users/index.js';

const newPassword = text({ min: 12, max: 128, trim: false });
const password = text({ min: 1, max: 128, trim: false });
const token = text({ min: 1, max: 512 });

export const registerBody = named(
  'Register',
  shape(
    {
      name: text({ min: 1, max: 80 }),
      email: email(),
      password: newPassword,
      role: oneOf(['student', 'alumni', 'recruiter'] as const),
    },
    { locale: oneOf(LOCALES) },
  ),
);

export const loginBody = named('Login', shape({ email: email(), password }));

/** Absent where the token comes as a cookie. */
export const refreshBody = perhaps(named('Refresh', shape({}, { refreshToken: token })));

export const tokenBody = named('OneTimeToken', shape({ token }));
export const forgotBody = named('ForgotPassword', shape({ email: email() }));
export const resetBody = named('ResetPassword', shape({ token, password: newPassword }));
export const code = matching(/^\d{6}$/, { max: 6, message: 'must be a code of six digits' });
export const changePasswordBody = named('ChangePassword', shape({ currentPassword: password, newPassword, code }));
export const codeRequestBody = named('CodeRequest', shape({ purpose: oneOf(CODE_PURPOSES) }));
export const codeRequestAnswer = named('CodeRequested', shape({ expiresIn: whole({ min: 1 }) }));
export const emailChangeBody = named('EmailChange', shape({ newEmail: email(), password, code }));
export const deletionBody = named('GiveUpAccount', shape({ password, code }));
export const deletionAnswer = named('AccountGivenUp', shape({ erasedAt: instant() }));

const tokens = { accessToken: text(), refreshToken: text(), expiresIn: whole({ min: 1 }) };
export const tokensAnswer = named('Tokens', shape(tokens));
export const signInAnswer = named('SignIn', shape({ user: userAnswer, ...tokens }));

/** A code of the app, or a recovery code; people copy those with or without dashes. */
const recoveryCode = matching(/^[0-9A-Za-z][0-9A-Za-z -]{14,22}[0-9A-Za-z]$/, {
  max: 24,
  message: 'must be a recovery code',
});
export const challengeBody = named(
  'ChallengeAnswer',
  anyOf([shape({ challenge: token, code }), shape({ challenge: token, recoveryCode })]),
);
export const twoFactorEnableBody = named('TwoFactorEnable', shape({ password, code }));
export const recoveryCodesBody = named('RenewRecoveryCodes', shape({ password, code }));
export const twoFactorDisableBody = named(
  'TwoFactorDisable',
  anyOf([shape({ password, code }), shape({ password, recoveryCode })]),
);
export const twoFactorAnswer = named(
  'TwoFactor',
  shape({ enabled: flag(), recoveryCodesLeft: whole({ min: 0, max: 10 }) }),
);
export const twoFactorSetupAnswer = named('TwoFactorSetup', shape({ secret: text(), uri: text() }));
export const recoveryCodesAnswer = named('RecoveryCodes', shape({ recoveryCodes: list(text()) }));

/** Signing in with one factor of two. */
const challengeAnswer = named(
  'Challenge',
  shape({ twoFactorRequired: exactly(true), challenge: text(), expiresIn: whole({ min: 1 }) }),
);
export const loginAnswer = named('LoginAnswer', anyOf([signInAnswer, challengeAnswer]));

/** What an admin may change about an account; `null` lifts a suspension. */
export const accountPatch = named(
  'AccountPatch',
  shape({}, { role: oneOf(ROLES), suspendedUntil: nullable(instant()), reason: text({ max: 500 }) }),
);

export const sessionAnswer = named(
  'Session',
  shape({
    id: objectId(),
    device: text(),
    place: text(),
    current: flag(),
    createdAt: instant(),
    lastUsedAt: instant(),
  }),
);
export const sessionsAnswer = named('Sessions', shape({ data: list(sessionAnswer) }));
