import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Outcome } from './outcome.js';

/**
 * Writes outcomes down as they come: while one write is under way the next ones gather and go together, so that a
 * worker that dies loses the few of one write and not those of its whole batch.
 */
export class OutcomeRecorder {
  private waiting = new Map<string, Outcome>();
  private writing: Promise<void> | undefined;
  private failure: { error: unknown } | undefined;

  constructor(private readonly write: (outcomes: ReadonlyMap<string, Outcome>) => Promise<void>) {}

  /** Takes an outcome; returns at once. */
  readonly settle = (notificationId: string, outcome: Outcome): void => {
    this.waiting.set(notificationId, outcome);
    this.writing ??= this.drain();
  };

  /**
   * Resolves when everything is written.
   * @throws the first failure to write; what was not written stays claimed, until the claim runs out
   */
  async done(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.failure) throw this.failure.error;
  }

  private async drain(): Promise<void> {
    // What is answered together is written together.
    await nextTurn();
    while (this.waiting.size > 0 && !this.failure) {
      const outcomes = this.waiting;
      this.waiting = new Map();
      try {
        await this.write(outcomes);
      } catch (error) {
        this.failure = { error };
      }
    }
    this.writing = undefined;
  }
}
