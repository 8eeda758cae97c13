import { createHmac } from 'node:crypto';
import { type Clock, HOUR, later } from '../../core/clock.js';

/** Longer than calls last: a relay asks for the credentials again and again while it is used. */
const VALID_MS = 6 * HOUR;

export interface IceSettings {
  stunUrls: readonly string[];
  turnUrls: readonly string[];
  /** What the relays share with this server (coturn: `static-auth-secret`); without it none is named. */
  turnSecret: string | undefined;
}

interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** What helps devices find a way to each other. */
export class IceServers {
  constructor(private readonly deps: { settings: IceSettings; clock: Clock }) {}

  /**
   * The servers for one user. The credentials of relays are made, not stored: the relay finds out by the secret that it
   * shares with this server whether they are genuine, and by the user name until when they hold (coturn's
   * `use-auth-secret`, draft-uberti-behave-turn-rest).
   */
  for(userId: string): { iceServers: IceServer[]; expiresAt?: Date } {
    const { stunUrls, turnUrls, turnSecret } = this.deps.settings;
    const stun = stunUrls.length > 0 ? [{ urls: [...stunUrls] }] : [];
    if (turnUrls.length === 0 || turnSecret === undefined) return { iceServers: stun };
    const expiry = Math.floor(later(this.deps.clock.now(), VALID_MS).getTime() / 1_000);
    const username = `${expiry}:${userId}`;
    const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
    return {
      iceServers: [...stun, { urls: [...turnUrls], username, credential }],
      expiresAt: new Date(expiry * 1_000),
    };
  }
}
