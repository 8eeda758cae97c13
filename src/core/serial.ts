/**
 * Runs work on the same key one after the other, work on different keys at once. Within one process it spares a hot
 * document the conflicts that transactions would otherwise only resolve by retrying; it is no lock between nodes.
 */
export class SerialByKey {
  private readonly tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(key) ?? Promise.resolve();
    return this.last([key], previous.then(work, work));
  }

  /** The same with several keys: after all work that has any of these. */
  runAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const previous = new Set(keys.flatMap((key) => this.tails.get(key) ?? []));
    return this.last(keys, Promise.allSettled(previous).then(work));
  }

  private last<T>(keys: readonly string[], mine: Promise<T>): Promise<T> {
    for (const key of keys) this.tails.set(key, mine);
    const forget = (): void => {
      for (const key of keys) if (this.tails.get(key) === mine) this.tails.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
