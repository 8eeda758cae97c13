import { type Clock } from '../../src/core/clock.js';

/** A clock that runs like any other and can be moved forward. */
export class MovableClock implements Clock {
  private ahead = 0;

  now(): Date {
    return new Date(Date.now() + this.ahead);
  }

  advance(milliseconds: number): void {
    this.ahead += milliseconds;
  }
}
