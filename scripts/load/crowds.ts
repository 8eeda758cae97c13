import { Helper } from '../bench/processes.js';
import { type Load } from './crowd.js';
import { type Request } from './crowd-process.js';
import { type Ledger, merged } from './ledger.js';
import { type CrowdPlan } from './plan.js';

/** A crowd that is spread over several processes. */
export class Crowds implements Load {
  private constructor(private readonly parts: readonly Helper[]) {}

  static async start(plan: CrowdPlan, processes: number): Promise<Crowds> {
    const parts = await Promise.all(
      Array.from({ length: processes }, async (_, index) => {
        const helper = await Helper.start('../load/crowd-process.ts', {});
        const part: CrowdPlan = {
          ...plan,
          people: plan.people.filter((_person, at) => at % processes === index),
          seed: plan.seed + index * plan.people.length,
          ...(plan.perSecond !== undefined && { perSecond: plan.perSecond / processes }),
        };
        await helper.ask({ what: 'plan', plan: part } satisfies Request);
        return helper;
      }),
    );
    return new Crowds(parts);
  }

  async begin(): Promise<void> {
    await this.askAll({ what: 'begin' });
  }

  async pace(perSecond: number): Promise<void> {
    await this.askAll({ what: 'pace', perSecond: perSecond / this.parts.length });
  }

  async turnPage(): Promise<Pick<Ledger, 'actions' | 'shown'>> {
    const pages = await this.askAll<Pick<Ledger, 'actions' | 'shown'>>({ what: 'turnPage' });
    return merged(pages.map((page) => ({ people: [], ...page })));
  }

  async end(): Promise<void> {
    await this.askAll({ what: 'end' });
  }

  async ledger(): Promise<Ledger> {
    return merged(await this.askAll<Ledger>({ what: 'ledger' }));
  }

  async close(): Promise<void> {
    await this.askAll({ what: 'close' });
    await Promise.all(this.parts.map((part) => part.stop()));
  }

  private askAll<T>(request: Request): Promise<T[]> {
    return Promise.all(this.parts.map((part) => part.ask<T>(request)));
  }
}
