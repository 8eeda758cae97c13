import { type Request, type Response } from 'express';
import { forbidden } from '../../core/http/problem.js';
import { SECOND } from '../../core/clock.js';
import { REFRESH_TOKEN_MS } from './session.service.js';

const NAME = 'atrium_refresh';

export interface RefreshCookieOptions {
  /** Sent by TLS only. */
  secure: boolean;
  /** Web apps that may refresh by cookie. */
  origins: readonly string[];
}

/**
 * The refresh token as a cookie, for web apps: out of reach of scripts, and sent to this module's routes only.
 *
 * Other sites can make a browser send it, so it counts only where the request shows that it comes from a web app of
 * ours: its `Origin` is one of those allowed; and where a browser sends none, by the `X-Requested-With` header, which
 * forms cannot set and scripts of other origins only after a preflight that they are refused.
 */
export class RefreshCookie {
  private readonly attributes: string;

  constructor(private readonly options: RefreshCookieOptions) {
    this.attributes = `Path=/api/v1/auth; HttpOnly; SameSite=Strict${options.secure ? '; Secure' : ''}`;
  }

  /** Replaces what an earlier call has set, as where the driver repeats a transaction. */
  set(response: Response, token: string): void {
    response.setHeader('Set-Cookie', `${NAME}=${token}; Max-Age=${REFRESH_TOKEN_MS / SECOND}; ${this.attributes}`);
  }

  clear(response: Response): void {
    response.setHeader('Set-Cookie', `${NAME}=; Max-Age=0; ${this.attributes}`);
  }

  /**
   * The token that the cookie holds.
   * @throws Problem 403 `CROSS_SITE_REFUSED` where the request may have been made by another site
   */
  read(request: Request): string | undefined {
    const cookies = (request.get('cookie') ?? '').split(';').map((pair) => pair.trim());
    const token = cookies.find((pair) => pair.startsWith(`${NAME}=`))?.slice(NAME.length + 1);
    if (token === undefined || token === '') return undefined;
    const origin = request.get('origin');
    const isOurs =
      origin === undefined ? request.get('x-requested-with') !== undefined : this.options.origins.includes(origin);
    if (!isOurs) throw forbidden('CROSS_SITE_REFUSED', 'The refresh cookie counts for our own web apps only.');
    return token;
  }
}
