import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../random.js';
import { emptyLedger, type Ledger } from './ledger.js';
import { Person } from './person.js';
import { type CrowdPlan } from './plan.js';

/** People who use the product, in this process or in others. */
export interface Load {
  /** Lets everyone begin; resolves once they have. */
  begin(): Promise<void>;
  /** From now on so many things a second are begun by all together. */
  pace(perSecond: number): Promise<void>;
  /** What was counted since the last time, which begins anew. */
  turnPage(): Promise<Pick<Ledger, 'actions' | 'shown'>>;
  /** Nobody begins anything more; resolves once everyone is connected, and has finished what they had at hand. */
  end(): Promise<void>;
  /** What is written down so far. */
  ledger(): Promise<Ledger>;
  /** Closes everybody's app. */
  close(): Promise<void>;
}

/** The crowd of this process. */
export class Crowd implements Load {
  private readonly written = emptyLedger();
  private readonly people: Person[];
  private readonly random: Random;
  private readonly living: Promise<void>[] = [];
  private perSecond: number | undefined;
  private pacing: Promise<void> | undefined;
  private hasEnded = false;

  constructor({ people, posts, urls, habits, seed, perSecond }: CrowdPlan) {
    this.random = new Random(seed);
    this.perSecond = perSecond;
    this.people = people.map(
      (plan, index) =>
        new Person({
          ...{ plan, posts, urls, habits, ledger: this.written },
          random: new Random(seed + 1 + index),
        }),
    );
  }

  async begin(): Promise<void> {
    if (this.perSecond === undefined) {
      for (const person of this.people) this.living.push(person.live());
      return;
    }
    await Promise.all(this.people.map((person) => person.arrive()));
    this.pacing = this.keepPace();
  }

  pace(perSecond: number): Promise<void> {
    this.perSecond = perSecond;
    return Promise.resolve();
  }

  turnPage(): Promise<Pick<Ledger, 'actions' | 'shown'>> {
    const { actions, shown } = this.written;
    Object.assign(this.written, { actions: {}, shown: [] });
    return Promise.resolve({ actions, shown });
  }

  async end(): Promise<void> {
    this.hasEnded = true;
    await this.pacing;
    await Promise.all(this.people.map((person) => person.end()));
    await Promise.all(this.living);
  }

  ledger(): Promise<Ledger> {
    return Promise.resolve(this.written);
  }

  close(): Promise<void> {
    for (const person of this.people) person.close();
    return Promise.resolve();
  }

  /** Whether or not what was begun has ended: a slow answer must not slow the questions down. */
  private async keepPace(): Promise<void> {
    let due = performance.now();
    while (!this.ended()) {
      due += 1_000 / (this.perSecond ?? 1);
      const early = due - performance.now();
      if (early > 0) await pause(early);
      void this.random.pick(this.people).act();
    }
  }

  private ended(): boolean {
    return this.hasEnded;
  }
}
