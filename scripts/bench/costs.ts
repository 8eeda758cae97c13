import { cpus } from 'node:os';
import { type Db } from 'mongodb';
import { round } from './report.js';
import { type Stage } from './stage.js';

/** What the database is asked for; its answers to change streams are `getmore`. */
const COUNTED = ['insert', 'query', 'update', 'delete', 'getmore', 'command'] as const;

interface Reading {
  /** Milliseconds of processor time, by what has used it. */
  cpu: Record<string, number>;
  /** Operations of the database. */
  operations: Record<string, number>;
}

/** What so many messages have cost, each: milliseconds of processor time, and operations of the database. */
export class Costs {
  private constructor(
    private readonly stage: Stage,
    private readonly before: Reading,
  ) {}

  /** Begins to count. */
  static async begin(stage: Stage): Promise<Costs> {
    return new Costs(stage, await read(stage));
  }

  async each(count: number): Promise<Reading> {
    const { cpu, operations } = await read(this.stage);
    const share = (now: Record<string, number>, then: Record<string, number>) =>
      Object.fromEntries(
        Object.entries(now).map(([name, value]) => [name, round((value - (then[name] ?? 0)) / count)]),
      );
    return { cpu: share(cpu, this.before.cpu), operations: share(operations, this.before.operations) };
  }
}

async function read(stage: Stage): Promise<Reading> {
  const [used, operations] = await Promise.all([stage.processorTime(), asked(stage.db)]);
  return { cpu: { ...used, machine: busy() }, operations };
}

/** All that the machine has done, Wine's server included, and whatever else runs on it. */
function busy(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

async function asked(db: Db): Promise<Record<string, number>> {
  const { opcounters } = (await db.admin().serverStatus()) as { opcounters: Record<string, number> };
  return Object.fromEntries(COUNTED.map((name) => [name, opcounters[name] ?? 0]));
}
