import {
  described,
  email,
  instant,
  list,
  matching,
  named,
  oneOf,
  open,
  perhaps,
  shape,
  text,
  withDefault,
} from '../../core/http/schema.js';
import { PROVIDERS } from './providers/index.js';

const provider = oneOf(PROVIDERS);

/** What an account may be that is made by signing in; the other roles are given. */
export const SIGN_UP_ROLES = ['student', 'alumni', 'recruiter'] as const;
export type SignUpRole = (typeof SIGN_UP_ROLES)[number];

export const providerParams = shape({ provider });

/**
 * A path of the web app. Browsers read `//host`, `/\host`, and either with a tab or a line break in between, as the
 * address of another site.
 */
const returnTo = matching(/^\/(?!\/)[^\\#\s\u0000-\u001f\u007f]*$/, {
  max: 500,
  message: 'must be a path of the web app',
});

export const startQuery = shape({
  returnTo: described(withDefault(returnTo, '/'), 'Where in the web app it ends.'),
  role: described(withDefault(oneOf(SIGN_UP_ROLES), 'student'), 'What a new account is to be.'),
});

const given = {
  state: text({ max: 512 }),
  code: text({ max: 4_096 }),
  error: text({ max: 200 }),
  iss: text({ max: 500 }),
};

/** Providers add to it as they please. */
export const callbackQuery = open(shape({}, given));
export const callbackForm = perhaps(
  named('OAuthForm', open(shape({}, { ...given, user: described(text({ max: 2_000 }), 'Apple’s, as JSON.') }))),
);

export const providersAnswer = named('OAuthProviders', shape({ data: list(shape({ provider })) }));
export const identitiesAnswer = named(
  'Identities',
  shape({ data: list(named('Identity', shape({ provider, linkedAt: instant() }, { email: email() }))) }),
);
