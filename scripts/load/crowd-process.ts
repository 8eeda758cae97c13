/** A part of a crowd in a process of its own, spoken to by messages. */
import { Crowd } from './crowd.js';
import { type CrowdPlan } from './plan.js';

/** What the parent asks for, in the order in which it does. */
export type Request =
  | { what: 'plan'; plan: CrowdPlan }
  | { what: 'begin' | 'turnPage' | 'end' | 'ledger' | 'close' }
  | { what: 'pace'; perSecond: number };

let crowd: Crowd | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.what === 'plan') {
    crowd = new Crowd(request.plan);
    return {};
  }
  if (!crowd) throw new Error('there is no plan yet');
  if (request.what === 'pace') return crowd.pace(request.perSecond);
  return crowd[request.what]();
}

process.on('message', (request: Request) => {
  answer(request).then(
    (result) => process.send?.(result ?? {}),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');
