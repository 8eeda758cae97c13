import { type Clock, DAY, later, MINUTE, SECOND } from '../../../core/clock.js';

export type BreakerState = 'closed' | 'open' | 'halfOpen';

/** As a metric: the more, the worse. */
export const BREAKER_LEVELS: Readonly<Record<BreakerState, number>> = { closed: 0, halfOpen: 1, open: 2 };

export interface BreakerOptions {
  clock: Clock;
  /** Told of every change; `why` is the error that opened it. */
  onChange: (state: BreakerState, why?: string) => void;
}

/** So many calls in a row have failed: the next would fail as well. */
const MOST_FAILURES = 5;
/** How long it stays open the first time; twice as long after each probe that fails. */
const SHORTEST_MS = 30 * SECOND;
const LONGEST_MS = 5 * MINUTE;

/** Leave for one call, which has to say how it went. */
export interface Permit {
  /** The provider answered, whatever it said of the message. */
  answered(): void;
  /** The provider is out of order. @param retryAfterMs it asked to be left alone for so long */
  failed(error: string, retryAfterMs?: number): void;
}

/**
 * Keeps calls from a provider that is out of order. It opens when several calls in a row have failed, or at once when
 * the provider asks to be left alone; after a while one call is let through as a probe, and decides.
 *
 * Each process has its own: it takes a few calls to find out what all the others find out as quickly, and a process
 * whose own network is broken does not cut the others off.
 */
export class CircuitBreaker {
  private failures = 0;
  private openings = 0;
  private shutUntil: Date | undefined;
  private probing = false;

  constructor(private readonly options: BreakerOptions) {}

  get state(): BreakerState {
    if (!this.shutUntil) return 'closed';
    return this.probing || this.shutUntil <= this.options.clock.now() ? 'halfOpen' : 'open';
  }

  /** How many calls it would let through now. */
  get room(): number {
    if (!this.shutUntil) return Infinity;
    return this.state === 'halfOpen' && !this.probing ? 1 : 0;
  }

  /** Milliseconds until it lets a call through again; a probe that is under way is given a second. */
  get waitMs(): number {
    if (!this.shutUntil || this.room > 0) return 0;
    return Math.max(this.shutUntil.getTime() - this.options.clock.now().getTime(), SECOND);
  }

  /** Asks for leave to make a call; `undefined` where there is none. */
  admit(): Permit | undefined {
    if (this.room === 0) return undefined;
    const isProbe = this.shutUntil !== undefined;
    if (isProbe) {
      this.probing = true;
      this.options.onChange('halfOpen');
    }
    return {
      answered: () => this.answered(isProbe),
      failed: (error, retryAfterMs) => this.failed(isProbe, error, retryAfterMs),
    };
  }

  private answered(isProbe: boolean): void {
    // What began before it opened says nothing of now.
    if (this.shutUntil && !isProbe) return;
    this.failures = 0;
    if (!isProbe) return;
    this.probing = false;
    this.openings = 0;
    this.shutUntil = undefined;
    this.options.onChange('closed');
  }

  private failed(isProbe: boolean, error: string, retryAfterMs = 0): void {
    if (this.shutUntil && !isProbe) return;
    this.failures += 1;
    if (!isProbe && retryAfterMs === 0 && this.failures < MOST_FAILURES) return;
    this.probing = false;
    this.failures = 0;
    const ownMs = Math.min(SHORTEST_MS * 2 ** this.openings, LONGEST_MS);
    this.openings += 1;
    this.shutUntil = later(this.options.clock.now(), Math.max(ownMs, Math.min(retryAfterMs, DAY)));
    this.options.onChange('open', error);
  }
}
