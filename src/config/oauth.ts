import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import Joi from 'joi';
import { setting, url, type ValueOf } from './setting.js';

/** Nothing unless given. */
function optional(schema: Joi.StringSchema = Joi.string()): Joi.Schema<string | undefined> {
  return schema.optional();
}

/** A key as text or as the path of a file, checked and given as PEM; in variables line breaks are often written `\n`. */
const ellipticKey = Joi.string().custom((value: string, helpers) => {
  try {
    const pem = existsSync(value) ? readFileSync(value, 'utf8') : value.replaceAll('\\n', '\n');
    if (createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1') return pem;
  } catch {
    // Said below; what Node says of it could quote the key.
  }
  return helpers.message({ custom: '{{#label}} must be a private P-256 key in PEM, or the path of one' });
});

/** Where people may sign in with an account they have elsewhere. */
export const oauthSettings = {
  oauthGoogleClientId: setting('OAUTH_GOOGLE_CLIENT_ID', optional(), 'Sign-in with Google: the client’s id.', 'none'),
  oauthGoogleClientSecret: setting(
    'OAUTH_GOOGLE_CLIENT_SECRET',
    optional(),
    'Sign-in with Google: the client’s secret.',
    'none',
  ),
  oauthGithubClientId: setting('OAUTH_GITHUB_CLIENT_ID', optional(), 'Sign-in with GitHub: the app’s id.', 'none'),
  oauthGithubClientSecret: setting(
    'OAUTH_GITHUB_CLIENT_SECRET',
    optional(),
    'Sign-in with GitHub: the app’s secret.',
    'none',
  ),
  oauthFacebookClientId: setting(
    'OAUTH_FACEBOOK_CLIENT_ID',
    optional(),
    'Sign-in with Facebook: the app’s id.',
    'none',
  ),
  oauthFacebookClientSecret: setting(
    'OAUTH_FACEBOOK_CLIENT_SECRET',
    optional(),
    'Sign-in with Facebook: the app’s secret.',
    'none',
  ),
  oauthAppleClientId: setting('OAUTH_APPLE_CLIENT_ID', optional(), 'Sign in with Apple: the services id.', 'none'),
  oauthAppleTeamId: setting('OAUTH_APPLE_TEAM_ID', optional(), 'Sign in with Apple: the developer team.', 'none'),
  oauthAppleKeyId: setting('OAUTH_APPLE_KEY_ID', optional(), 'Sign in with Apple: the key’s id.', 'none'),
  oauthApplePrivateKey: setting(
    'OAUTH_APPLE_PRIVATE_KEY',
    optional(ellipticKey),
    'Sign in with Apple: the key that signs client secrets (PEM), or the path of its file.',
    'none',
  ),
  oauthEndpoint: setting(
    'OAUTH_ENDPOINT',
    optional(url('http', 'https')),
    'Where to find all of these providers (`/google`, `/github`, …) instead of their own, outside production only.',
    'none',
  ),
} as const;

/** The settings of sign-in by other accounts. */
export type OAuthConfig = { readonly [K in keyof typeof oauthSettings]: ValueOf<(typeof oauthSettings)[K]> };

const TOGETHER: (keyof typeof oauthSettings)[][] = [
  ['oauthGoogleClientId', 'oauthGoogleClientSecret'],
  ['oauthGithubClientId', 'oauthGithubClientSecret'],
  ['oauthFacebookClientId', 'oauthFacebookClientSecret'],
  ['oauthAppleClientId', 'oauthAppleTeamId', 'oauthAppleKeyId', 'oauthApplePrivateKey'],
];

/** Half of what a provider needs is a mistake, and no provider but the real one must ever vouch for someone. */
export function oauthContradictions(config: OAuthConfig & { nodeEnv: string }): string[] {
  const halves = TOGETHER.filter((names) => new Set(names.map((name) => config[name] === undefined)).size > 1);
  return [
    ...halves.map((names) => {
      const variables = names.map((name) => oauthSettings[name].env);
      return `${variables.slice(0, -1).join(', ')} and ${variables.at(-1) ?? ''} go together`;
    }),
    ...(config.nodeEnv === 'production' && config.oauthEndpoint !== undefined
      ? ['OAUTH_ENDPOINT is for development and tests only']
      : []),
  ];
}

/** What is configured of each provider. */
export function oauthProviders(config: OAuthConfig) {
  const { oauthAppleClientId, oauthAppleTeamId, oauthAppleKeyId, oauthApplePrivateKey } = config;
  return {
    google: clientOf(config.oauthGoogleClientId, config.oauthGoogleClientSecret),
    github: clientOf(config.oauthGithubClientId, config.oauthGithubClientSecret),
    facebook: clientOf(config.oauthFacebookClientId, config.oauthFacebookClientSecret),
    apple:
      oauthAppleClientId !== undefined &&
      oauthAppleTeamId !== undefined &&
      oauthAppleKeyId !== undefined &&
      oauthApplePrivateKey !== undefined
        ? {
            clientId: oauthAppleClientId,
            teamId: oauthAppleTeamId,
            keyId: oauthAppleKeyId,
            privateKey: oauthApplePrivateKey,
          }
        : undefined,
  };
}

function clientOf(clientId: string | undefined, clientSecret: string | undefined) {
  return clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : undefined;
}
