import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS } from '../support/until.js';
import { Faults, type StatusFault } from './faults.js';

/** A message that was turned away; `item` is missing when it could not even be read. */
export interface Rejection<T> {
  at: Date;
  reason: string;
  status?: number;
  item?: T;
}

export interface WaitOptions {
  timeoutMs?: number;
  count?: number;
}

/** What the server does with a message: answer well, answer with a status, or cut the connection. */
export type Verdict = { kind: 'accept' } | { kind: 'refuse'; fault: StatusFault } | { kind: 'cut' };

/** What a server was sent, and those who wait for it. Every server has one. */
export class Inbox<T> {
  readonly received: T[] = [];
  readonly rejected: Rejection<T>[] = [];
  readonly faults = new Faults<T>();
  readonly #describe: (item: T) => string;
  readonly #hooks = new Set<(item: T) => void | Promise<void>>();
  readonly #waiting = new Set<{ check: () => void; abandon: (why: string) => void }>();

  constructor(describe: (item: T) => string) {
    this.#describe = describe;
  }

  /** Takes in a message that arrived whole and is valid. Hooks have run when it resolves. */
  async receive(item: T): Promise<Verdict> {
    const fault = this.faults.take(item);
    if (fault?.kind === 'status') {
      this.reject({ reason: `fault ${fault.status}`, status: fault.status, item });
      return { kind: 'refuse', fault };
    }
    if (fault?.kind === 'reset') {
      this.reject({ reason: 'fault reset', item });
      return { kind: 'cut' };
    }
    this.received.push(item);
    for (const { check } of this.#waiting) check();
    for (const hook of this.#hooks) await hook(item);
    if (fault?.kind === 'accept-and-reset') return { kind: 'cut' };
    // Not referenced: an answer that is still due must not keep a finished process alive.
    if (fault?.kind === 'slow') await pause(fault.ms, undefined, { ref: false });
    return { kind: 'accept' };
  }

  reject(rejection: Omit<Rejection<T>, 'at'>): void {
    this.rejected.push({ at: new Date(), ...rejection });
  }

  /** Resolves with all matching items as soon as there are `count` of them, those received before included. */
  readonly waitFor = (
    predicate: (item: T) => boolean = () => true,
    { timeoutMs = PATIENCE_MS, count = 1 }: WaitOptions = {},
  ): Promise<T[]> =>
    new Promise((resolve, reject) => {
      const matching = () => this.received.filter(predicate);
      const settle = (finish: () => void) => {
        this.#waiting.delete(waiter);
        clearTimeout(timer);
        finish();
      };
      const abandon = (why: string) =>
        settle(() => reject(new Error(`${why}: ${matching().length} of ${count} expected. ${this.#inventory()}`)));
      const check = () => {
        try {
          const found = matching();
          if (found.length >= count) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const waiter = { check, abandon };
      const timer = setTimeout(() => abandon(`not received within ${timeoutMs} ms`), timeoutMs);
      this.#waiting.add(waiter);
      check();
    });

  /**
   * Calls back for each message that is accepted, before the client is answered; the answer waits for a promise.
   * The returned function ends it.
   */
  readonly onReceived = (callback: (item: T) => void | Promise<void>): (() => void) => {
    this.#hooks.add(callback);
    return () => void this.#hooks.delete(callback);
  };

  /** Forgets messages, faults and hooks. */
  readonly clear = (): void => {
    this.received.length = 0;
    this.rejected.length = 0;
    this.faults.clear();
    this.#hooks.clear();
  };

  /** The server stops: nothing that is waited for can arrive any more. */
  close(): void {
    for (const { abandon } of this.#waiting) abandon('the server stopped');
  }

  #inventory(): string {
    const lines = [
      ...this.received.map((item) => `received ${this.#describe(item)}`),
      ...this.rejected.map(
        ({ reason, item }) => `rejected ${item === undefined ? '' : `${this.#describe(item)} `}(${reason})`,
      ),
    ];
    return lines.length === 0 ? 'Nothing arrived.' : `What arrived:\n- ${lines.join('\n- ')}`;
  }
}
