import { type Clock } from './clock.js';

export interface RememberedOptions<T> {
  clock: Clock;
  /** How long a value is trusted, in milliseconds. Events drop it at once; this bounds what a silent feed leaves. */
  trustMs: number;
  /** With more than so many, the oldest go. */
  most: number;
  load: (key: string) => Promise<T>;
}

/**
 * Values that are read once and remembered until they are forgotten. A read that was begun before something was
 * forgotten is not remembered after it: it may have seen what was there before.
 */
export class Remembered<T> {
  private readonly entries = new Map<string, { value: T; loadedAt: number }>();
  private version = 0;

  constructor(private readonly options: RememberedOptions<T>) {}

  async get(key: string): Promise<T> {
    const { clock, trustMs, load } = this.options;
    const loadedAt = clock.now().getTime();
    const known = this.entries.get(key);
    if (known && loadedAt - known.loadedAt < trustMs) return known.value;
    const { version } = this;
    const value = await load(key);
    if (version === this.version) this.remember(key, { value, loadedAt });
    return value;
  }

  forget(...keys: string[]): void {
    this.version += 1;
    for (const key of keys) this.entries.delete(key);
  }

  forgetAll(): void {
    this.version += 1;
    this.entries.clear();
  }

  private remember(key: string, entry: { value: T; loadedAt: number }): void {
    // Put at the end again, so that the first is the one loaded longest ago.
    this.entries.delete(key);
    if (this.entries.size >= this.options.most) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    this.entries.set(key, entry);
  }
}
