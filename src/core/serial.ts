/**
 * Runs work on the same key one after the other, work on different keys at once. Within one process it spares a hot
 * document the conflicts that transactions would otherwise only resolve by retrying; it is no lock between nodes.
 */
export class SerialByKey {
  private readonly tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(key) ?? Promise.resolve();
    const mine = previous.then(work, work);
    this.tails.set(key, mine);
    const forget = (): void => {
      if (this.tails.get(key) === mine) this.tails.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
