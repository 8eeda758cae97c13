import { performance } from 'node:perf_hooks';
import { overloaded } from './http/problem.js';

export interface OverloadOptions {
  /** With half of what ends taking longer, in milliseconds, fewer are let in; 0 looks at nothing. */
  aimMs: number;
  /** Told of each one that is turned away. */
  onShed?: () => void;
  /** Milliseconds from anywhere; tests move them. */
  now?: () => number;
}

/** What is being done, as far as it is up to us. */
export interface UnderWay {
  /** From now on it waits for its client, who may take any time: until `goOn` it takes nobody's place, and is not slow. */
  wait: () => void;
  goOn: () => void;
}

/** In milliseconds: when it was gone on with last, and what it took before that. */
interface Task {
  since: number;
  spent: number;
}

/** So many are always let in: a few that take long by nature are no overload. */
export const FEWEST_AT_ONCE = 20;
/** And never more, for the memory that they take. */
const MOST_AT_ONCE = 2_000;
export const LOOK_MS = 100;
/** A stall is no overload: fewer are let in from so many slow looks in a row on. */
export const SLOW_LOOKS = 3;
const LESS = 0.9;
const MORE = 1.1;

/**
 * Lets in as much at once as is done in time, and turns the rest away before it has cost anything. What waits behind too
 * much else is answered when nobody waits for it any more, and by then has been asked for again: without this a node
 * that is asked for twice what it can do gets slower and slower, and does nothing in the end.
 *
 * How many that are follows from how long things take, and not from the size of the machine: ten times a second it is a
 * tenth less where half of them took too long or the process itself came late, three times in a row, and a tenth more
 * where not.
 */
export class Overload {
  private readonly begun = new Set<Task>();
  /** How much has been let in and has not ended, whether or not it waits for its client. */
  private open = 0;
  private readonly waitingForTheEnd: (() => void)[] = [];
  private readonly took: number[] = [];
  private readonly now: () => number;
  private limit = MOST_AT_ONCE;
  private peak = 0;
  private slowLooks = 0;
  private timer: NodeJS.Timeout | undefined;
  private lookedAt: number;

  constructor(private readonly options: OverloadOptions) {
    this.now = options.now ?? (() => performance.now());
    this.lookedAt = this.now();
  }

  /** What is being done just now. */
  get underWay(): number {
    return this.begun.size;
  }

  /**
   * Does the work, unless there is too much else.
   * @throws Problem 503 `OVERLOADED`
   */
  async run<T>(work: (underWay: UnderWay) => Promise<T>): Promise<T> {
    if (this.begun.size >= this.limit) {
      this.options.onShed?.();
      throw overloaded();
    }
    const task: Task = { since: 0, spent: 0 };
    let hasEnded = false;
    const goOn = (): void => {
      if (hasEnded || this.begun.has(task)) return;
      task.since = this.now();
      this.begun.add(task);
      this.peak = Math.max(this.peak, this.begun.size);
    };
    const wait = (): void => {
      if (this.begun.delete(task)) task.spent += this.now() - task.since;
    };
    goOn();
    this.open += 1;
    try {
      return await work({ wait, goOn });
    } finally {
      wait();
      hasEnded = true;
      this.took.push(task.spent);
      this.open -= 1;
      if (this.open === 0) for (const resolve of this.waitingForTheEnd.splice(0)) resolve();
    }
  }

  /**
   * Resolves once all that was let in has ended: it goes on where its client goes away.
   * @param onWait told of how much has not ended yet, if any
   */
  settled(onWait: (open: number) => void): Promise<void> {
    if (this.open === 0) return Promise.resolve();
    onWait(this.open);
    return new Promise((resolve) => this.waitingForTheEnd.push(resolve));
  }

  /** Begins to look how long things take. */
  start(): void {
    if (this.options.aimMs === 0) return;
    this.lookedAt = this.now();
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Looks how long things take, and lets in fewer or more from now on. */
  look(): void {
    const now = this.now();
    const late = now - this.lookedAt - LOOK_MS;
    this.lookedAt = now;
    const isSlow = Math.max(late, this.typical(now)) > this.options.aimMs;
    this.slowLooks = isSlow ? this.slowLooks + 1 : 0;
    if (this.slowLooks >= SLOW_LOOKS && this.peak > FEWEST_AT_ONCE) {
      this.limit = Math.max(FEWEST_AT_ONCE, Math.floor(Math.min(this.limit, this.peak) * LESS));
    } else if (!isSlow) {
      this.limit = Math.min(MOST_AT_ONCE, Math.ceil(this.limit * MORE));
    }
    this.took.length = 0;
    this.peak = this.begun.size;
  }

  /** How long half of what has ended since the last look took at least; of nothing how old the oldest is under way. */
  private typical(now: number): number {
    const sorted = this.took.toSorted((one, other) => one - other);
    const [oldest = { since: now, spent: 0 }] = this.begun;
    return sorted[Math.floor(sorted.length / 2)] ?? oldest.spent + now - oldest.since;
  }
}
