import { type Clock, later, MINUTE, SECOND } from '../../core/clock.js';
import { forbidden, Problem } from '../../core/http/problem.js';
import { type Signer } from '../../core/security/signing.js';
import { type MediaFile } from './media.model.js';

const KEPT_MS = 15 * MINUTE;

/** What a link brings back. */
export interface LinkClaim {
  mediaId: string;
  file: MediaFile;
  /** When it ends, in seconds since 1970. */
  expires: number;
  signature: string;
}

/**
 * Links to files that are nobody's but those who were shown them. Whoever has one may follow it, so that a page can
 * show the file; it ends after a quarter of an hour, and whoever may still see the file is given a new one.
 */
export class MediaLinks {
  constructor(private readonly deps: { signer: Signer; clock: Clock }) {}

  /** A link to one of the files of a medium, the same for a minute, so that browsers find what they have. */
  to(mediaId: string, file: MediaFile): string {
    const end = later(this.deps.clock.now(), KEPT_MS).getTime();
    const expires = Math.floor(end / MINUTE) * (MINUTE / SECOND);
    const signature = this.deps.signer.sign(signed({ mediaId, file, expires }));
    return `/api/v1/media/${mediaId}/${file}?expires=${expires}&signature=${signature}`;
  }

  /**
   * For how many seconds a link still holds.
   * @throws Problem 403 `LINK_INVALID` where it was not made here or was changed, 410 `LINK_EXPIRED`
   */
  check({ signature, ...claim }: LinkClaim): number {
    if (!this.deps.signer.verify(signed(claim), signature)) {
      throw forbidden('LINK_INVALID', 'This link was not made here.');
    }
    const left = Math.floor(claim.expires - this.deps.clock.now().getTime() / SECOND);
    if (left <= 0) {
      const detail = 'This link has expired. Read anew where it stood.';
      throw new Problem({ status: 410, code: 'LINK_EXPIRED', detail });
    }
    return left;
  }
}

function signed({ mediaId, file, expires }: Omit<LinkClaim, 'signature'>): string {
  return JSON.stringify(['media', mediaId, file, expires]);
}
