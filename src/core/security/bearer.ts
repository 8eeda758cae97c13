import { type Request } from 'express';
import { unauthorized } from '../http/problem.js';
import { type Actor } from '../http/route.js';
import { type Authenticator } from './authenticator.js';

/** Checks the keys of partner systems, which come in the place of access tokens. */
export interface ApiKeys {
  isKey(token: string): boolean;
  /** @throws Problem 401 where the key is not good */
  authenticate(key: string): Promise<Actor>;
}

/**
 * Reads `Authorization: Bearer <token>`, an access token or an API key; without the header nobody is signed in.
 * @throws Problem 401 where the header is of another form or the token is bad
 */
export function bearerToken(
  authenticator: Authenticator,
  apiKeys: ApiKeys,
): (request: Request) => Promise<Actor | undefined> {
  return async (request) => {
    const header = request.get('authorization');
    if (header === undefined) return undefined;
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(header)?.[1];
    if (token === undefined) throw unauthorized('TOKEN_INVALID', 'The Authorization header is not "Bearer <token>".');
    if (apiKeys.isKey(token)) return apiKeys.authenticate(token);
    return (await authenticator.verifyAccessToken(token)).actor;
  };
}
