import {
  email,
  flag,
  instant,
  list,
  named,
  objectId,
  oneOf,
  perhaps,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { LOCALES, userAnswer } from '../users/index.js';

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
export const changePasswordBody = named('ChangePassword', shape({ currentPassword: password, newPassword }));

export const deletionBody = named('GiveUpAccount', shape({ password }));
export const deletionAnswer = named('AccountGivenUp', shape({ erasedAt: instant() }));

const tokens = { accessToken: text(), refreshToken: text(), expiresIn: whole({ min: 1 }) };
export const tokensAnswer = named('Tokens', shape(tokens));
export const signInAnswer = named('SignIn', shape({ user: userAnswer, ...tokens }));

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
