/** One thing that was looked at: what there is, and what is wrong with it. */
export interface Finding {
  what: string;
  /** In words, with figures. */
  found: string;
  wrong: string[];
}

/** Those that occur more often than once. */
export function doubled(values: Iterable<string>): string[] {
  const seen = new Set<string>();
  return [...values].filter((value) => seen.size === seen.add(value).size);
}

/** Puts what belongs to the same key together. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
