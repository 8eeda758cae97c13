import { expect } from 'chai';
import { runSuite } from '../../scripts/failure/suite.js';

/** The short form of `npm run test:failure`, which has three members, three API nodes, and everything that can go wrong. */
describe('People who use the product while it breaks', function () {
  // A set, four processes and everything that they are put through.
  this.timeout(240_000);

  it('lose nothing and are shown nothing twice, in one order, with every count right and nothing left behind', async () => {
    // Every run tells where it is and what it has come to, on a terminal and in the log of CI: one that does not end, too.
    const story: string[] = [];
    const say = (line: string): void => {
      story.push(line);
      process.stdout.write(`${line}\n`);
    };
    const { isRight, report } = await runSuite({
      ...{ members: 1, apis: 2, workers: 2, people: 8, thinkMs: 700, leaseSeconds: 2, claimSeconds: 4 },
      ...{ faults: ['kill leader', 'half-open network', 'kill primary'], randomSeconds: 0, seed: 1 },
      ...{ patienceMs: 90_000, say },
    });
    say(['', ...report].join('\n'));
    expect(isRight, story.join('\n')).to.equal(true);
  });
});
