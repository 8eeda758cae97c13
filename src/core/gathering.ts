import { setTimeout as pause } from 'node:timers/promises';
import { overloaded } from './http/problem.js';

export interface GatheringOptions<Item, Result> {
  /** So many go in one write. */
  most: number;
  /** With more than so many waiting, further ones are turned away. */
  mostWaiting: number;
  /**
   * After a write that was not full it rests for as long as that has taken, but no longer than this, in milliseconds:
   * each costs something beside what is written, here and wherever it is heard of. By default it does not rest.
   */
  mostRestMs?: number;
  /** Writes them, and says what became of each, in their order. */
  write: (items: Item[]) => Promise<PromiseSettledResult<Result>[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes together what comes at once: while one write is under way the next ones queue up, and go together. What comes
 * alone does not wait.
 */
export class Gathering<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private isWriting = false;

  constructor(private readonly options: GatheringOptions<Item, Result>) {}

  /**
   * Resolves with what became of this one.
   * @throws Problem 503 `OVERLOADED` where too many wait
   */
  add(item: Item): Promise<Result> {
    if (this.waiting.length >= this.options.mostWaiting) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isWriting) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      const begun = performance.now();
      await this.writeSome(this.waiting.splice(0, this.options.most));
      await this.rest(performance.now() - begun);
    }
    this.isWriting = false;
  }

  private async rest(workedMs: number): Promise<void> {
    const { mostRestMs = 0, most } = this.options;
    if (mostRestMs > 0 && this.waiting.length < most) await pause(Math.min(workedMs, mostRestMs));
  }

  private async writeSome(some: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.write(some.map(({ item }) => item));
      for (const [index, { resolve, reject }] of some.entries()) {
        const result = results[index];
        if (result?.status === 'fulfilled') resolve(result.value);
        else reject(result?.reason ?? new Error('what became of it was not said'));
      }
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
