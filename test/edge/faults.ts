/** One way to misbehave towards one message. */
export type Fault =
  /** The message is accepted, its answer comes late. */
  | { kind: 'slow'; ms: number }
  /** The message is refused: an HTTP status, or an SMTP reply code. `retryAfter` is in seconds or an HTTP date. */
  | StatusFault
  /** The connection is cut; the message is lost. */
  | { kind: 'reset' }
  /** The message is accepted, but the connection is cut before the answer. */
  | { kind: 'accept-and-reset' };

export interface StatusFault {
  kind: 'status';
  status: number;
  retryAfter?: number | string;
  body?: string;
}

interface Rule<T> {
  matches: (item: T) => boolean;
  fault: Fault;
}

/** The faults a server still has to commit. */
export class Faults<T> {
  readonly #queue: Fault[] = [];
  readonly #rules = new Set<Rule<T>>();

  /** Misbehaves towards the next `times` messages that no rule of `when` is about. */
  next(fault: Fault, times = 1): void {
    for (let i = 0; i < times; i++) this.#queue.push(fault);
  }

  /** Misbehaves towards every message the predicate picks, until the returned function is called. */
  when(predicate: (item: T) => boolean, fault: Fault): () => void {
    const rule = { matches: predicate, fault };
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** The fault for this message, if any. */
  take(item: T): Fault | undefined {
    for (const rule of this.#rules) if (rule.matches(item)) return rule.fault;
    return this.#queue.shift();
  }

  clear(): void {
    this.#queue.length = 0;
    this.#rules.clear();
  }
}
