import { type Request, type Response } from 'express';
import { SECOND } from '../../core/clock.js';
import { type Attempt, type Provider } from './providers/index.js';
import { ATTEMPT_MS } from './sign-in-states.js';

const NAME = 'atrium_oauth';
const PATTERN = new RegExp(`^${NAME}=([\\w-]{43})\\.([\\w-]{43})\\.([\\w-]{43})$`);

/**
 * What only the browser may know that began a sign-in, kept by it until it comes back: an answer that someone else
 * sends it, or that was meant for another browser, fits no cookie. There is one: of two sign-ins begun in one browser
 * the later can be finished.
 */
export class AttemptCookie {
  /** @param secure whether the API is reached by TLS only */
  constructor(private readonly secure: boolean) {}

  set(response: Response, provider: Provider, { state, verifier, nonce }: Attempt): void {
    this.append(response, `${state}.${verifier}.${nonce}; Max-Age=${ATTEMPT_MS / SECOND}`, provider);
  }

  clear(response: Response, provider: Provider): void {
    this.append(response, '; Max-Age=0', provider);
  }

  read(request: Request): Attempt | undefined {
    const pairs = (request.get('cookie') ?? '').split(';').map((pair) => pair.trim());
    for (const pair of pairs) {
      const [, state, verifier, nonce] = PATTERN.exec(pair) ?? [];
      if (state !== undefined && verifier !== undefined && nonce !== undefined) return { state, verifier, nonce };
    }
    return undefined;
  }

  private append(response: Response, valueAndAge: string, { postsBack }: Provider): void {
    // A form that another site posts brings no cookie but one that says it may, for which browsers want TLS.
    const sameSite = postsBack ? 'None; Secure' : `Lax${this.secure ? '; Secure' : ''}`;
    response.append('Set-Cookie', `${NAME}=${valueAndAge}; Path=/api/v1/auth/oauth; HttpOnly; SameSite=${sameSite}`);
  }
}
