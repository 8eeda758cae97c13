import { unavailable } from './http/problem.js';

export interface GatheringOptions<Item, Result> {
  /** So many go in one write. */
  most: number;
  /** With more than so many waiting, further ones are turned away. */
  mostWaiting: number;
  /** Writes them, and says what became of each, in their order. */
  write: (items: Item[]) => Promise<PromiseSettledResult<Result>[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes together what comes at once: while one write is under way the next ones queue up, and go together. There is no
 * timer, so that what comes alone does not wait.
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
    if (this.waiting.length >= this.options.mostWaiting) {
      return Promise.reject(unavailable('OVERLOADED', 'There is too much to do just now. Try again in a moment.', 1));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isWriting) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) await this.writeSome(this.waiting.splice(0, this.options.most));
    this.isWriting = false;
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
