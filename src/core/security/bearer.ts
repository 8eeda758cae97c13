import { type Request } from 'express';
import { unauthorized } from '../http/problem.js';
import { type Actor } from '../http/route.js';
import { type Authenticator } from './authenticator.js';

/**
 * Reads `Authorization: Bearer <token>`; without the header nobody is signed in.
 * @throws Problem 401 where the header is of another form or the token is bad
 */
export function bearerToken(authenticator: Authenticator): (request: Request) => Promise<Actor | undefined> {
  return async (request) => {
    const header = request.get('authorization');
    if (header === undefined) return undefined;
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(header)?.[1];
    if (token === undefined) throw unauthorized('TOKEN_INVALID', 'The Authorization header is not "Bearer <token>".');
    return (await authenticator.verifyAccessToken(token)).actor;
  };
}
