/** A moment at which something happens. */
interface Moment {
  at: number;
  order: number;
  happen: () => void;
}

/** Things that happen one after the other in a time of their own, in milliseconds. */
export class Timeline {
  private readonly heap: Moment[] = [];
  private order = 0;
  private time = 0;

  get now(): number {
    return this.time;
  }

  after(delay: number, happen: () => void): void {
    const moment = { at: this.time + delay, order: this.order++, happen };
    let index = this.heap.push(moment) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBefore(index, parent)) break;
      this.swap(index, parent);
      index = parent;
    }
  }

  /** Lets happen what does before this moment. */
  runUntil(end: number): void {
    for (let next = this.heap[0]; next && next.at < end; next = this.heap[0]) {
      this.removeFirst();
      this.time = next.at;
      next.happen();
    }
    this.time = end;
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const child = left + 1 < this.heap.length && this.isBefore(left + 1, left) ? left + 1 : left;
      if (child >= this.heap.length || !this.isBefore(child, index)) return;
      this.swap(child, index);
      index = child;
    }
  }

  private isBefore(one: number, other: number): boolean {
    const [a, b] = [this.heap[one], this.heap[other]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (a) this.heap[other] = a;
    if (b) this.heap[one] = b;
  }
}

interface Waiting {
  serviceMs: number;
  since: number;
  done: () => void;
}

export interface StationOptions {
  /** So many are served at a time, each by one server. */
  servers: number;
  /** One server takes so many of those that wait together, and so long for it beside what each of them takes. */
  batch?: { most: number; fixedMs: number };
  /** What happens before is not counted: the queue has not come to be what it is. */
  countFrom?: number;
}

/** Servers with one queue, first come, first served. */
export class Station {
  /** From arrival to the end of the service, of everything that has ended, in milliseconds. */
  readonly took: number[] = [];
  private readonly queue: Waiting[] = [];
  private head = 0;
  private free: number;
  private busyMs = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly options: StationOptions,
  ) {
    this.free = options.servers;
  }

  /** @param done called when it was served */
  serve(serviceMs: number, done = (): void => undefined): void {
    this.queue.push({ serviceMs, since: this.timeline.now, done });
    this.begin();
  }

  /** Which share of the servers' time was spent serving until now. */
  get utilisation(): number {
    const { servers, countFrom = 0 } = this.options;
    return this.busyMs / (servers * (this.timeline.now - countFrom));
  }

  /** How many wait. */
  get waiting(): number {
    return this.queue.length - this.head;
  }

  /** What was taken is removed, rarely, since everything behind it moves. */
  private forget(): void {
    if (this.head < 10_000) return;
    this.queue.splice(0, this.head);
    this.head = 0;
  }

  private begin(): void {
    while (this.free > 0 && this.waiting > 0) {
      const { batch = { most: 1, fixedMs: 0 }, countFrom = 0 } = this.options;
      const taken = this.queue.slice(this.head, this.head + batch.most);
      this.head += taken.length;
      this.forget();
      const serviceMs = batch.fixedMs + taken.reduce((sum, each) => sum + each.serviceMs, 0);
      const begun = this.timeline.now;
      this.free -= 1;
      this.timeline.after(serviceMs, () => {
        this.free += 1;
        this.busyMs += Math.max(0, this.timeline.now - Math.max(begun, countFrom));
        for (const { since, done } of taken) {
          if (since >= countFrom) this.took.push(this.timeline.now - since);
          done();
        }
        this.begin();
      });
    }
  }
}
