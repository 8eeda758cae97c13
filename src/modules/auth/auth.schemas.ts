import { email, named, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { LOCALES, userAnswer } from '../users/index.js';

const password = text({ min: 12, max: 128, trim: false });

export const registerBody = named(
  'Register',
  shape(
    {
      name: text({ min: 1, max: 80 }),
      email: email(),
      password,
      role: oneOf(['student', 'alumni', 'recruiter'] as const),
    },
    { locale: oneOf(LOCALES) },
  ),
);

export const loginBody = named('Login', shape({ email: email(), password: text({ min: 1, max: 128, trim: false }) }));

export const refreshBody = named('Refresh', shape({ refreshToken: text({ min: 1, max: 512 }) }));

export const tokensAnswer = named(
  'Tokens',
  shape({ accessToken: text(), refreshToken: text(), expiresIn: whole({ min: 1 }) }),
);

export const signInAnswer = named(
  'SignIn',
  shape({
    user: userAnswer,
    accessToken: text(),
    refreshToken: text(),
    expiresIn: whole({ min: 1 }),
  }),
);
