import { type Clock, MINUTE } from '../../src/core/clock.js';

/** A clock that runs like any other and can be moved forward. */
export class MovableClock implements Clock {
  private ahead = 0;

  now(): Date {
    return new Date(Date.now() + this.ahead);
  }

  advance(milliseconds: number): void {
    this.ahead += milliseconds;
  }

  /** Moves to the beginning of the next minute: what is the same for a minute then is as long as a test takes. */
  toNextMinute(): void {
    this.advance(MINUTE - (this.now().getTime() % MINUTE));
  }
}
